"""Tests of the limits of an archive."""

import pytest

from build_archive.errors import BuildError
from build_archive.limits import MAX_UNPACKED_BYTES, MAX_ZIP_BYTES, Size, check_size
from emulator.runtime import function_archive


def test_limits_hold() -> None:
    """An archive at its limits passes; one byte more of either is refused, with the size and the limit."""
    check_size(Size(MAX_ZIP_BYTES, MAX_UNPACKED_BYTES, 1))
    with pytest.raises(BuildError, match=r"The archive has 70\.1 MB, and may have 70 MB"):
        check_size(Size(MAX_ZIP_BYTES + 100_000, MAX_UNPACKED_BYTES, 1))
    with pytest.raises(BuildError, match="content has"):
        check_size(Size(MAX_ZIP_BYTES, MAX_UNPACKED_BYTES + 1, 1))


def test_limits_are_below_the_platforms() -> None:
    """What passes here is taken by the platform."""
    assert MAX_ZIP_BYTES < function_archive.MAX_ARCHIVE_BYTES
    assert MAX_UNPACKED_BYTES < function_archive.MAX_UNPACKED_BYTES
