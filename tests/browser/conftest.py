"""One browser and one shop for all tests of a module."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import DESK, chromium, complaints, look_as, resize
from tests.browser.served_shop import ServedShop, served

if TYPE_CHECKING:
    from selenium.webdriver import Chrome


@pytest.fixture(scope="module")
def shop() -> Iterator[ServedShop]:
    with served() as running:
        yield running


@pytest.fixture(scope="module")
def started() -> "Iterator[Chrome]":
    with chromium() as browser:
        yield browser


@pytest.fixture
def browser(started: "Chrome") -> "Chrome":
    """The browser as if it had just been started."""
    started.get("about:blank")
    look_as(started)
    resize(started, DESK)
    complaints(started)
    return started
