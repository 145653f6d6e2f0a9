"""Tests of the locks: what they name is the same on every Python."""

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "lock", ["requirements.txt", *(f"scripts/locks/{kind}.txt" for kind in ("build", "dev", "emulator"))]
)
def test_each_package_has_one_version(lock: str) -> None:
    """No package has one version for some Pythons and another one for others, which would be tested on those alone."""
    names = re.findall(r"^([\w.-]+)==", (ROOT / lock).read_text(), re.MULTILINE)
    assert [name for name, count in Counter(names).items() if count > 1] == []
