"""Tests of the spelling of header names."""

import pytest

from emulator.runtime.header_names import canonical_name


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("content-type", "Content-Type"),
        ("X-REQUEST-ID", "X-Request-Id"),
        ("x_under-score", "X_under-Score"),
        ("etag", "Etag"),
        ("x--1a", "X--1a"),
    ],
)
def test_names_are_spelt_as_go_spells_them(name: str, canonical: str) -> None:
    """A name has capitals at its start and after each hyphen, and nowhere else."""
    assert canonical_name(name) == canonical
