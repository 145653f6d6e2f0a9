"""One browser for all tests of the page."""

from collections.abc import Iterator

import pytest
from page.browser import launched
from playwright.sync_api import Browser


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with launched() as running:
        yield running
