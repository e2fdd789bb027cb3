"""What a person does with a page, and sees of it."""

from typing import TYPE_CHECKING, Any

from tests.integration.worker_process import until

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

PATIENCE_S = 20.0


def go(browser: "Chrome", url: str, part: str, expected: str) -> None:
    """Open a part of the page anew, and wait until it shows what is expected."""
    browser.get("about:blank")
    browser.get(f"{url}/#{part}")
    see(browser, expected)


def text(browser: "Chrome") -> str:
    """All text that is shown, in one line."""
    return " ".join(str(browser.execute_script("return document.body.innerText")).split())


def see(browser: "Chrome", expected: str) -> None:
    """Wait until a text is shown."""
    until(lambda: expected in text(browser), f"{expected!r} on the page", timeout_s=PATIENCE_S)


def press(browser: "Chrome", *keys: str) -> None:
    """Press keys, one after the other, wherever the focus is."""
    from selenium.webdriver.common.action_chains import ActionChains

    for key in keys:
        ActionChains(browser).send_keys(key).perform()


def step_back(browser: "Chrome") -> None:
    """Press shift and tab."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    ActionChains(browser).key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(Keys.SHIFT).perform()


def focused(browser: "Chrome") -> str:
    """Text or name of what has the focus."""
    names = "at.innerText || at.getAttribute('aria-label') || at.id || at.tagName"
    return str(browser.execute_script(f"const at = document.activeElement; return {names}"))


def style(browser: "Chrome", selector: str, name: str) -> str:
    """How something looks."""
    asked = "return getComputedStyle(document.querySelector(arguments[0])).getPropertyValue(arguments[1])"
    return str(browser.execute_script(asked, selector, name))


def ask(browser: "Chrome", script: str) -> Any:
    """What an expression is in the page."""
    return browser.execute_script(f"return {script}")
