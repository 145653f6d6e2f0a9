"""Rules of a bucket: ours are put beside those that are there, since putting rules replaces all of them."""

from collections.abc import Mapping, Sequence
from typing import Any

Rule = Mapping[str, Any]


def merged(present: Sequence[Rule], ours: Sequence[Rule]) -> list[Rule]:
    """`present`, as it is and in its order, with our rules in their places, or at the end."""
    left = {str(rule["ID"]): rule for rule in ours}
    rules = []
    for rule in present:
        if own := _own_id(rule, ours):
            if own in left:  # and dropped where it stands twice
                rules.append(left.pop(own))
        else:
            rules.append(rule)
    return [*rules, *left.values()]


def without(present: Sequence[Rule], ours: Sequence[Rule]) -> list[Rule]:
    """`present` less our rules."""
    return [rule for rule in present if _own_id(rule, ours) is None]


def are_same(some: Sequence[Rule], others: Sequence[Rule]) -> bool:
    """Whether two lists mean the same rules."""
    return [_meaning(rule) for rule in some] == [_meaning(rule) for rule in others]


def _own_id(rule: Rule, ours: Sequence[Rule]) -> str | None:
    """The id of the one of `ours` that `rule` is, by its id; or by its content, for a storage that keeps no ids."""
    for own in ours:
        if rule.get("ID") == own["ID"] or (not rule.get("ID") and _meaning(rule) == _meaning({**own, "ID": None})):
            return str(own["ID"])
    return None


def _meaning(rule: Rule) -> Mapping[str, Any]:
    """A rule as it can be compared: a storage may answer in another order, or with a prefix in its older place."""
    fields = {name: _plain(value) for name, value in rule.items() if value not in (None, "", [], {})}
    if isinstance(place := fields.get("Filter"), Mapping) and set(place) <= {"Prefix"}:
        del fields["Filter"]
        fields |= {name: value for name, value in place.items() if value}
    return fields


def _plain(value: Any) -> Any:
    is_list_of_words = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return sorted(value) if is_list_of_words else value
