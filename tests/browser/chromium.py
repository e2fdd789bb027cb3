"""A real headless Chromium for tests: the one that is installed, else Debian's, unpacked into the cache."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from tests.tools.debian import library_path, unpacked
from tests.tools.npm import packed

if TYPE_CHECKING:
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

SHELL = "chromium-headless-shell"
DRIVER = "chromium-driver"
AXE = ("axe-core", "4.14.1", "axe.min.js")
AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
PHONE = (360, 740)
DESK = (1280, 900)


@contextmanager
def chromium() -> Iterator["Chrome"]:
    """Start a browser, and end it."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    # Tests in containers run as root, which the sandbox does not take; pages are our own.
    for argument in (
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--force-device-scale-factor=1",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = _service(options)
    browser = webdriver.Chrome(options=options, service=service)
    try:
        yield browser
    finally:
        browser.quit()


def _service(options: "ChromeOptions") -> "ChromeService":
    from selenium import webdriver

    installed = shutil.which("chromium") or shutil.which(SHELL), shutil.which("chromedriver")
    if all(installed):
        options.binary_location = str(installed[0])
        options.add_argument("--headless=new")
        return webdriver.ChromeService(str(installed[1]))
    # The driver's own libraries are among those of the browser.
    shell = unpacked(SHELL, f"usr/lib/chromium/{SHELL}", libraries=True)
    driver = unpacked(DRIVER, "usr/bin/chromedriver")
    options.binary_location = str(shell)
    return webdriver.ChromeService(str(driver), env={**os.environ, "LD_LIBRARY_PATH": library_path(SHELL)})


def look_as(browser: "Chrome", *, dark: bool = False, calm: bool = False) -> None:
    """Have the system's preferences be these."""
    features = [
        {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
        {"name": "prefers-reduced-motion", "value": "reduce" if calm else "no-preference"},
    ]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def resize(browser: "Chrome", size: tuple[int, int]) -> None:
    """Give the page so much room."""
    width, height = size
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def violations(browser: "Chrome") -> list[str]:
    """What axe finds wrong with the page as it is, by rule and element."""
    browser.execute_script(packed(*AXE, sha256=AXE_SHA256).read_text(encoding="utf-8"))
    asked = "const done = arguments[0]; axe.run().then((found) => done(JSON.stringify(found.violations)))"
    found: list[dict[str, Any]] = json.loads(browser.execute_async_script(asked))
    return [
        f"{each['id']}: {node['html'][:200]}: {node['failureSummary']}"
        for each in found
        for node in each["nodes"]
    ]


def complaints(browser: "Chrome") -> list[str]:
    """What stands in the console since it was asked last."""
    log = cast(Callable[[str], list[dict[str, Any]]], browser.get_log)("browser")
    return [f"{entry['level']}: {entry['message']}" for entry in log]
