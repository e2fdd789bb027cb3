"""The page in a real Chromium: it changes by itself, can be read by all, and takes nothing for markup."""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.browser.chromium import PHONE, complaints, look_as, resize, violations
from tests.browser.looking import ask, focused, go, press, see, step_back, style, text
from tests.browser.served_shop import LONG_ID, SETTINGS, TITLES, ServedShop, arm_tallies, served

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = pytest.mark.slow

PARTS = {
    "flow": "Whose lists changed last u",
    "customer": "Whose lists changed last u",
    f"customer/{LONG_ID}": "bought with Electric kettle",
    "customer/nobody": "this is what is popular",
    "item": "The most popular ones",
    "item/t1": "Looked at together",
    "item/nobody": "is not known here",
    "segments": "Choose a segment",
    "segments/2": "128 customers, 3.0 orders",
    "quality": "Gini of exposure 0.370",
    "experiments": "no impression of a list has come yet",
    "experiments/longer-lists": "long better than the control",
    "experiments/nothing": "There is no experiment",
    "refused": "expected seconds, 0 or more",
    "system": "not ready: rules",
}
TAB, ENTER = "\ue004", "\ue007"
LATER = 1_800_000_000_000
WORD = "correct-horse-battery"


@pytest.mark.parametrize("part", PARTS)
def test_every_part_is_accessible_light_and_dark_wide_and_narrow(
    browser: "Chrome", shop: ServedShop, part: str
) -> None:
    for dark in (False, True):
        look_as(browser, dark=dark, calm=True)
        go(browser, shop.url, part, PARTS[part])
        assert violations(browser) == []
    resize(browser, PHONE)
    go(browser, shop.url, part, PARTS[part])
    assert violations(browser) == []
    assert ask(browser, "document.documentElement.scrollWidth") <= PHONE[0]
    # What an unknown item is answered with stands in the console by itself.
    assert [each for each in complaints(browser) if "404" not in each] == []


def test_a_list_changes_by_itself_and_says_how(browser: "Chrome", shop: ServedShop) -> None:
    shop.tell_list("anna", "k2", "t2", "x1", "l1", "p1", "s1")
    go(browser, shop.url, "customer/anna", "1 Whistling kettle")
    shop.tell_list("anna", "t2", "k2", "x1", "l1", "c1", "s1")
    see(browser, "The list changed: 1 new.")
    seen = text(browser)
    assert "1 Darjeeling in a tin t2 up 1" in seen
    assert "2 Whistling kettle k2 down 1" in seen
    assert "Cup without a handle c1 new" in seen
    assert "bought with Electric kettle, brushed steel, 1.7 l (lift 3.7, 42%) count 15, support 2.1%" in seen
    assert complaints(browser) == []


def test_the_flow_goes_on_by_itself(browser: "Chrome", shop: ServedShop) -> None:
    go(browser, shop.url, "flow", "Events and lists in a second")
    shop.do(lambda: shop.desk.news.tick(LATER))
    shop.tell_list("dora", "t1")
    shop.do(lambda: shop.desk.news.tick(LATER + 1_000))
    see(browser, "Whose lists changed last dora")
    see(browser, "lists 1 ")
    assert ask(browser, "document.querySelectorAll('main canvas').length") == 2


def test_what_comes_from_outside_is_text(browser: "Chrome", shop: ServedShop) -> None:
    go(browser, shop.url, "customer/anna", TITLES["x1"])
    go(browser, shop.url, "item/x1", TITLES["x1"])
    go(browser, shop.url, "refused", "<script>alert(1)</script>")
    go(browser, shop.url, "customer/%3Cimg%20src%3Dx%3E", "Customer <img src=x>")
    assert ask(browser, "document.querySelectorAll('main img, main b b, main script').length") == 0
    assert complaints(browser) == []


def test_all_can_be_done_with_the_keyboard(browser: "Chrome", shop: ServedShop) -> None:
    go(browser, shop.url, "flow", "Events and lists in a second")
    press(browser, TAB)
    assert focused(browser) == "Skip to content"
    press(browser, ENTER)
    assert ask(browser, "document.activeElement.id") == "main"
    browser.refresh()
    see(browser, "Events and lists in a second")
    walked = []
    for _ in range(10):
        press(browser, TAB)
        walked.append(focused(browser))
    assert walked[1:] == [
        "freshrec",
        "Flow",
        "Customers",
        "Items",
        "Segments",
        "Quality",
        "Experiments",
        "Refused",
        "System",
    ]
    assert style(browser, ":focus", "outline-style") == "solid"
    for _ in range(4):
        step_back(browser)
    press(browser, ENTER)
    see(browser, "Choose a segment")
    assert focused(browser) == "Segments"
    press(browser, TAB)
    assert focused(browser).startswith("Segment 0: 410 customers")
    assert style(browser, ":focus circle", "stroke-width") == "4px"
    press(browser, ENTER)
    see(browser, "410 customers, 4.2 orders")
    assert focused(browser) == "Segment 0"


def test_items_are_found_while_typing(browser: "Chrome", shop: ServedShop) -> None:
    go(browser, shop.url, "item", "The most popular ones")
    browser.find_element("id", "item-words").send_keys("kett")
    see(browser, "2 found among 12 items")
    press(browser, TAB, ENTER)
    see(browser, "Item k2")
    browser.back()
    see(browser, "The most popular ones")


def test_more_measures_of_rules_are_folded_away_and_fit_a_telephone(
    browser: "Chrome", shop: ServedShop
) -> None:
    resize(browser, PHONE)
    go(browser, shop.url, "item/t1", "Looked at together")
    assert "LLR" not in text(browser)
    browser.find_element("css selector", "summary").click()
    # 14 of 100 x 14 orders with both, a confidence of 42% and a lift of 3.7.
    see(browser, f"{TITLES['k1']} k1 0.73% 1.53 21.0")
    frame = "document.querySelector('details .frame')"
    assert ask(browser, f"{frame}.scrollWidth - {frame}.clientWidth") == 0
    assert violations(browser) == []
    assert ask(browser, "document.documentElement.scrollWidth") <= PHONE[0]
    assert complaints(browser) == []


def test_quality_says_what_lists_without_drawn_places_would_have(browser: "Chrome", shop: ServedShop) -> None:
    go(browser, shop.url, "quality", "Since the worker's start")
    see(browser, "hit rate without drawn places 26.0% (95 %: 24.8% to 27.2%); with them 24.0%")
    assert complaints(browser) == []


def test_a_customer_is_picked_by_id(browser: "Chrome", shop: ServedShop) -> None:
    go(browser, shop.url, "customer", "Whose lists changed last")
    browser.find_element("id", "customer-id").send_keys("berta" + ENTER)
    see(browser, "Customer berta")
    see(browser, "Segment 2, 1.27 from its centre")
    assert ask(browser, "document.title") == "Customer berta · freshrec"


def test_who_wants_no_motion_sees_none(browser: "Chrome", shop: ServedShop) -> None:
    for calm, name in ((False, "arrive"), (True, "none")):
        look_as(browser, calm=calm)
        shop.tell_list("carl", "k2", "t2", "x1", "l1", "p1", "s1")
        go(browser, shop.url, "customer/carl", "1 Whistling kettle")
        shop.tell_list("carl", "t2", "k2", "x1", "l1", "p1", "s1")
        see(browser, "The list changed: another order.")
        assert style(browser, ".moved", "animation-name") == name


def test_colours_are_those_of_the_system(browser: "Chrome", shop: ServedShop) -> None:
    go(browser, shop.url, "flow", "Events and lists in a second")
    light = style(browser, "body", "background-color")
    look_as(browser, dark=True)
    assert style(browser, "body", "background-color") != light


def test_an_experiment_is_told_as_it_is_in_the_terminal(browser: "Chrome", shop: ServedShop) -> None:
    shop.learn("experiment-tallies", "0", arm_tallies(control=40, long=120))
    go(browser, shop.url, "experiments", "by-weights: decided by click_through")
    seen = text(browser)
    assert "longer-lists: decided by conversion" in seen
    assert "shares of customers as set (p 1)" in seen
    assert "long recommend.k = 12 50% 400 0 1,200" in seen
    assert "diverse recommend.diversity = 0.3 25% 0" in seen
    assert "conversion long goal 30.00% 25.72% to 34.66% +20.00% (+200.0%) +10.61%" in seen
    browser.find_element("link text", "longer-lists").click()
    see(browser, "Experiment longer-lists")
    see(browser, "long better than the control")
    assert "by-weights" not in text(browser)
    assert ask(browser, "document.title") == "Experiment longer-lists · freshrec"
    assert complaints(browser) == []


def test_intervals_are_drawn_to_one_scale_with_a_mark_where_there_is_no_difference(
    browser: "Chrome", shop: ServedShop
) -> None:
    shop.learn("experiment-tallies", "0", arm_tallies(control=40, long=120))
    go(browser, shop.url, "experiments/longer-lists", "long better than the control")
    goal = "[...document.querySelectorAll('tr')].find((row) => /long.*goal/s.test(row.innerText))"
    edges = f"[...{goal}.querySelectorAll('rect')].map((rect) => rect.getBoundingClientRect())"
    whole, interval, zero = ask(browser, f"{edges}.map(({{ left, right }}) => [left, right])")
    assert whole[0] <= zero[1] < interval[0] < interval[1] <= whole[1] + 0.01


def test_experiments_change_by_themselves_and_leave_the_reader_where_they_are(
    browser: "Chrome", shop: ServedShop
) -> None:
    shop.learn("experiment-tallies", "0", arm_tallies(control=40, long=120))
    resize(browser, PHONE)
    go(browser, shop.url, "experiments/longer-lists", "long better than the control")
    frame = "document.querySelector('[aria-label=\"Metrics of longer-lists\"]')"
    browser.execute_script(f"{frame}.focus(); {frame}.scrollLeft = 120")
    shop.learn("experiment-tallies", "0", arm_tallies(control=40, long=44))
    see(browser, "long too early to tell")
    assert focused(browser).startswith("Metrics of longer-lists")
    assert ask(browser, f"[document.activeElement === {frame}, {frame}.scrollLeft]") == [True, 120]
    # Which row it is stays in sight.
    left = "getBoundingClientRect().left"
    assert ask(browser, f"{frame}.querySelector('tbody th').{left} === {frame}.{left}")
    assert "conversion long goal 11.00%" in text(browser)


def test_how_an_experiment_is_set_is_said_where_there_is_none(browser: "Chrome") -> None:
    with served(msgspec.structs.replace(SETTINGS, experiments=())) as shop:
        for part in ("experiments", "experiments/gone"):
            go(browser, shop.url, part, "No experiment is set")
        assert "[experiments.longer-lists.variants.long] share = 0.5 recommend.k = 20" in text(browser)
        assert violations(browser) == []
        resize(browser, PHONE)
        assert ask(browser, "document.documentElement.scrollWidth") <= PHONE[0]
        assert violations(browser) == []


def test_the_token_is_asked_for_and_kept_in_the_tab(
    browser: "Chrome", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FRESHREC_SERVE__TOKEN", raising=False)
    (tmp_path / "token").write_text(f"{WORD}\n")
    serve = msgspec.structs.replace(SETTINGS.serve, token_file=str(tmp_path / "token"))
    with served(msgspec.structs.replace(SETTINGS, serve=serve)) as shop:
        go(browser, shop.url, "customer/anna", "This server asks for its token")
        assert "Whistling" not in text(browser)
        assert violations(browser) == []
        press(browser, *"wrong", ENTER)
        see(browser, "That was not the token.")
        press(browser, *WORD, ENTER)
        see(browser, "1 Whistling kettle")
        browser.refresh()
        see(browser, "1 Whistling kettle")
        assert ask(browser, "[localStorage.length, document.cookie, location.href.includes('horse')]") == [
            0,
            "",
            False,
        ]


def test_a_server_that_goes_away_is_said(browser: "Chrome") -> None:
    with served() as shop:
        go(browser, shop.url, "customer/anna", "live")
    see(browser, "no answer from the server")
    see(browser, "The server does not answer; it is asked again.")
