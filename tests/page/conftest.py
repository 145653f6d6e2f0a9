"""Fixtures of the page's tests: one browser for all of them."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from support.browser import launched


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with launched() as running:
        yield running
