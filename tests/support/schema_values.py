"""Values that a JSON Schema allows, for properties that hold for all of them."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from hypothesis import strategies as st


def values_of(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values of the schemas that the description of the API has for options."""
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return st.one_of([values_of(each) for each in schema[several]])
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")]))
    return _BY_TYPE[schema["type"]](schema)


def _numbers(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    least = schema.get("minimum", schema.get("exclusiveMinimum"))
    return st.floats(least, schema["maximum"], exclude_min="exclusiveMinimum" in schema)


def _lists(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    items = [values_of(each) for each in schema["prefixItems"]]
    sizes = st.integers(schema.get("minItems", 0), len(items))
    return sizes.flatmap(lambda size: st.tuples(*items[:size]).map(list))


def _texts(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    pattern, longest = schema["pattern"], schema.get("maxLength", 1_000)
    if pattern == r"\S":
        return st.text(min_size=1, max_size=longest).filter(lambda text: bool(text.strip()))
    return st.from_regex(pattern).filter(lambda text: len(text) <= longest)


_BY_TYPE: Final[Mapping[str, Callable[[Mapping[str, Any]], st.SearchStrategy[Any]]]] = {
    "boolean": lambda _schema: st.booleans(),
    "integer": lambda schema: st.integers(schema["minimum"], schema["maximum"]),
    "number": _numbers,
    "array": _lists,
    "string": _texts,
}
