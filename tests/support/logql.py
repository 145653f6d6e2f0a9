"""The part of LogQL that the dashboard uses, over lines of JSON: which lines a query reads, and what of them."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

# A stage of a pipeline ends at a bar outside of quotes.
_STAGE = re.compile(r'(?:"[^"]*"|`[^`]*`|[^|"`])+')
_CONDITION = re.compile(r'(?P<name>\w+)(?P<operator>>=|!=|=~|=)"?(?P<value>[^"]*)"?')


def pipelines(query: str) -> list[str]:
    """What stands after each stream selector, up to its range."""
    return re.findall(r"\}([^\[]*)\[", query)


def values(query: str, lines: Iterable[Mapping[str, Any]]) -> list[float]:
    """The value of each line that the query counts: what it unwraps, or 1."""
    (pipeline,) = pipelines(query)
    stages = [stage.strip() for stage in _STAGE.findall(pipeline)]
    return [value for line in lines for value in _values(stages, line)]


def _values(stages: list[str], line: Mapping[str, Any]) -> Iterator[float]:
    labels: dict[str, str] = {}
    value = 1.0
    for stage in stages:
        kind, _, rest = stage.partition(" ")
        if stage.startswith("="):  # `|=` is cut in two: the line holds a text
            if stage.strip("= `") not in json.dumps(line):
                return
        elif kind == "json":
            named = dict(re.findall(r'(\w+)="(\w+)"', rest))
            labels |= {label: _text(line[field]) for label, field in named.items() if field in line}
        elif kind == "unwrap":
            try:
                value = float(labels[rest.strip()])
            except (KeyError, ValueError):
                labels["__error__"] = "SampleExtractionErr"
        elif stage and not any(_holds(condition, labels) for condition in stage.split(" or ")):
            return
    yield value


def _holds(condition: str, labels: Mapping[str, str]) -> bool:
    match = _CONDITION.fullmatch(condition.strip())
    assert match, condition
    there, value = labels.get(match["name"], ""), match["value"]
    match match["operator"]:
        case "=":
            return there == value
        case "!=":
            return there != value
        case "=~":
            return re.fullmatch(value, there) is not None
        case _:
            return bool(there) and float(there) >= float(value)


def _text(value: object) -> str:
    """A value as Loki's json stage makes a label of it; of lists and objects, it makes none."""
    return "" if isinstance(value, list | dict) else value if isinstance(value, str) else json.dumps(value)
