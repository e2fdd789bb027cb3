"""`freshrec recommend`, `similar`, `rules` and `segment` on the state of a replay: shapes, codes, words."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from online_models.protocols import Answer, Request
from online_models.recommender import BlendRecommender
from streams.cli import run
from streams.in_words import in_words
from streams.stages.history import MODELS

AT = 1_700_000_000_000
LIST_KEYS = (
    *("recommendation_id", "user_id", "session_id", "at", "caused_by", "items", "segment", "models"),
    *("variant", "latency"),
)
ITEM_KEYS = ["item_id", "rank", "score", "propensity", "reasons"]
RULE_KEYS = ["item_id", "count", "support", "confidence", "lift", "leverage", "conviction", "llr"]

ORDERS = {
    "anna": ("tea", "cup"),
    "ben": ("tea", "cup", "pot"),
    "carla": ("tea", "pot"),
    "david": ("jam", "bread"),
    "emma": ("jam", "bread", "tea"),
    "frank": ("pot",),
}
"""What each customer bought, in one order."""


def messages() -> Iterator[dict[str, Any]]:
    for item in ("tea", "cup", "pot", "jam", "bread"):
        yield {"type": "item", "item_id": item, "title": f"The {item}", "categories": ["food"], "at": AT}
    for number, (user, items) in enumerate(ORDERS.items(), start=1):
        lines = [{"item_id": item, "quantity": 1, "unit_price": 2.5} for item in items]
        order = {"type": "purchase", "event_id": f"p-{number}", "order_id": f"o-{number}", "user_id": user}
        yield order | {"lines": lines, "at": AT + number * 1_000}
    views: list[tuple[str | None, str | None, str]]
    views = [("ben", None, "jam"), ("gina", "s-1", "cup"), ("gina", "s-1", "tea"), (None, "s-2", "cup")]
    for number, (visitor, session, item) in enumerate(views, start=7):
        browse = {"type": "browse", "event_id": f"b-{number}", "user_id": visitor, "session_id": session}
        yield browse | {"item_id": item, "at": AT + number * 1_000}


def with_settings(patch: pytest.MonkeyPatch) -> None:
    """No decay, one partition, two segments; nothing from the machine's own environment."""
    for name in [name for name in os.environ if name.upper().startswith("FRESHREC_")]:
        patch.delenv(name)
    patch.setenv("FRESHREC_KAFKA__PARTITIONS", "1")
    patch.setenv("FRESHREC_RULES__HALF_LIFE_S", "0")
    patch.setenv("FRESHREC_SEGMENTS__CLUSTERS", "2")
    patch.setenv("COLUMNS", "200")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state of a replay that nobody changes."""
    folder = tmp_path_factory.mktemp("shop")
    file = folder / "events.jsonl"
    file.write_text("".join(json.dumps(message) + "\n" for message in messages()))
    with pytest.MonkeyPatch.context() as patch:
        with_settings(patch)
        patch.chdir(folder)
        assert run(["replay", str(file), "--format", "jsonl", "--state", "state", "--out", "lists"]) == 0
    return folder


@pytest.fixture(autouse=True)
def in_the_shop(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_settings(monkeypatch)
    monkeypatch.chdir(shop)


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """What a command prints as JSON."""
    assert run([*arguments, "--state", "state", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def table(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command prints for people."""
    assert run([*arguments, "--state", "state"]) == 0
    return capsys.readouterr().out


def test_recommend_prints_the_message_of_the_topic(capsys: pytest.CaptureFixture[str]) -> None:
    told = answer(capsys, "recommend", "ben")
    assert list(told) == list(LIST_KEYS)
    assert (told["recommendation_id"], told["caused_by"]) == ("browses:0:12", ["b-7"])
    assert (told["user_id"], told["variant"]) == ("ben", None)
    assert told["models"] == MODELS
    assert told["latency"].keys() == {"event_at", "ingested_at", "emitted_at"}
    assert told["latency"]["event_at"] == AT + 7_000
    assert [list(item) for item in told["items"]] == [ITEM_KEYS] * len(told["items"])
    assert [item["rank"] for item in told["items"]] == list(range(1, len(told["items"]) + 1))
    assert all(item["reasons"] for item in told["items"])
    # What ben bought is not offered to him again.
    assert {item["item_id"] for item in told["items"]} == {"jam", "bread"}


def test_recommend_answers_as_the_last_list_of_the_replay_did(capsys: pytest.CaptureFixture[str]) -> None:
    lists = [json.loads(line) for line in Path("lists").read_text().splitlines()]
    last = {each["user_id"]: each for each in lists}["gina"]
    told = answer(capsys, "recommend", "gina")
    for key in ("recommendation_id", "session_id", "caused_by", "items", "segment", "models"):
        assert told[key] == last[key], key


def test_recommend_explores_with_what_the_list_is_called_as_the_seed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Request] = []

    class Noting(BlendRecommender):
        def recommend(self, request: Request) -> Answer:
            asked.append(request)
            return super().recommend(request)

    monkeypatch.setattr("streams.commands.answers.BlendRecommender", Noting)
    assert {item["propensity"] for item in answer(capsys, "recommend", "frank")["items"]} == {None}
    monkeypatch.setenv("FRESHREC_RECOMMEND__EXPLORE", "0.8")
    told = answer(capsys, "recommend", "frank")
    assert answer(capsys, "recommend", "frank")["items"] == told["items"]
    assert {request.seed for request in asked} == {told["recommendation_id"]}
    # One of four that are left, of three, of two, of one: one that was drawn, or the best.
    for n, item in zip((4, 3, 2, 1), told["items"], strict=True):
        assert min(abs(item["propensity"] - each) for each in (0.8 / n, 0.2 + 0.8 / n)) < 1e-6


def test_recommend_leaves_out_what_a_rule_excludes_that_has_come_into_force_since(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.toml"
    monkeypatch.setenv("FRESHREC_RECOMMEND__RULES_FILE", str(rules))
    shown = []
    # Ben's last event is from 22:13:27, the newest of all three seconds later.
    for second in (31, 30):
        rule = f'{{name = "off", action = "exclude", items = ["jam"], from = "2023-11-14T22:13:{second}Z"}}'
        rules.write_text(f"rule = [{rule}]")
        shown.append([item["item_id"] for item in answer(capsys, "recommend", "ben")["items"]])
    assert sorted(shown[0]) == ["bread", "jam"]
    assert shown[1] == ["bread"]


def test_recommend_knows_a_guest_by_the_session(capsys: pytest.CaptureFixture[str]) -> None:
    told = answer(capsys, "recommend", "s-2")
    assert (told["user_id"], told["session_id"], told["caused_by"]) == (None, "s-2", ["b-10"])
    assert told["items"]


def test_recommend_gives_as_many_items_as_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    whole = answer(capsys, "recommend", "frank")["items"]
    assert len(whole) == 4
    assert answer(capsys, "recommend", "frank", "--k", "2")["items"] == whole[:2]


def test_similar_prints_neighbours_best_first(capsys: pytest.CaptureFixture[str]) -> None:
    told = answer(capsys, "similar", "jam")
    assert list(told) == ["item_id", "items"]
    assert told["item_id"] == "jam"
    assert [list(item) for item in told["items"]] == [["item_id", "similarity", "count"]] * len(told["items"])
    assert told["items"][0]["item_id"] == "bread"
    similarities = [item["similarity"] for item in told["items"]]
    assert similarities == sorted(similarities, reverse=True)


def test_rules_of_an_item_are_one_message_for_each_scope(capsys: pytest.CaptureFixture[str]) -> None:
    told = answer(capsys, "rules", "tea")
    (orders,) = [message for message in told if message["scope"] == "orders"]
    assert list(orders) == ["item_id", "scope", "transactions", "count", "rules"]
    assert (orders["item_id"], orders["transactions"], orders["count"]) == ("tea", 6, 4)
    assert [list(rule) for rule in orders["rules"]] == [RULE_KEYS] * 2
    cup, pot = orders["rules"]
    assert (cup["item_id"], cup["count"], cup["support"], cup["confidence"]) == ("cup", 2, 2 / 6, 2 / 4)
    assert cup["lift"] == pytest.approx((2 / 4) / (2 / 6))
    assert cup["leverage"] == pytest.approx(2 / 6 - 4 / 6 * 2 / 6)
    assert cup["conviction"] == pytest.approx((1 - 2 / 6) / (1 - 2 / 4))
    assert (pot["item_id"], pot["lift"]) == ("pot", pytest.approx((2 / 4) / (3 / 6)))


def test_a_rule_without_exception_has_no_conviction(capsys: pytest.CaptureFixture[str]) -> None:
    (message,) = answer(capsys, "rules", "bread")
    (rule,) = message["rules"]
    assert (rule["item_id"], rule["confidence"], rule["conviction"]) == ("jam", 1, None)
    assert rule["llr"] >= 0


def test_all_rules_have_every_pair_under_both_items_however_rare(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRESHREC_RULES__PUBLISHED_RULES", "1")
    told = answer(capsys, "rules", "--all")
    orders = {message["item_id"]: message["rules"] for message in told if message["scope"] == "orders"}
    bought_together = {(i, j) for items in ORDERS.values() for i in items for j in items if i != j}
    assert {(i, rule["item_id"]) for i, rules in orders.items() for rule in rules} == bought_together
    counts = {(i, rule["item_id"]): rule["count"] for i, rules in orders.items() for rule in rules}
    assert all(counts[i, j] == counts[j, i] for i, j in counts)
    assert min(counts.values()) == 1
    assert len(answer(capsys, "rules", "tea")[0]["rules"]) == 1


def test_rules_are_sorted_by_lift_then_id(capsys: pytest.CaptureFixture[str]) -> None:
    told = answer(capsys, "rules", "--all")
    for message in told:
        order = [(-rule["lift"], rule["item_id"]) for rule in message["rules"]]
        assert order == sorted(order), message["item_id"]
    (tea,) = [each for each in told if (each["item_id"], each["scope"]) == ("tea", "orders")]
    # Bread and jam have the same lift with tea.
    assert [rule["item_id"] for rule in tea["rules"]] == ["cup", "pot", "bread", "jam"]


def test_the_strongest_pairs_stand_once(capsys: pytest.CaptureFixture[str]) -> None:
    told = answer(capsys, "rules", "--top", "1")
    assert [(each["item_id"], [rule["item_id"] for rule in each["rules"]]) for each in told] == [
        ("bread", ["jam"])
    ]


def test_segment_prints_the_message_of_the_topic(capsys: pytest.CaptureFixture[str]) -> None:
    told = answer(capsys, "segment", "anna")
    assert list(told) == ["user_id", "segment", "distance", "at"]
    assert (told["user_id"], told["at"]) == ("anna", AT + 1_000)
    assert told["segment"] in {"0", "1"}
    assert told["segment"] == answer(capsys, "recommend", "anna")["segment"]
    assert told["distance"] >= 0


@pytest.mark.parametrize("command", ["recommend", "similar", "rules", "segment"])
def test_an_unknown_id_is_an_empty_object_and_exit_code_3(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert run([command, "nobody", "--state", "state", "--json"]) == 3
    assert capsys.readouterr().out == "{}\n"
    assert run([command, "nobody", "--state", "state"]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "'nobody' is not known here; check the id and --state" in captured.err


@pytest.mark.parametrize("command", [["recommend", "anna"], ["similar", "tea"], ["rules", "--all"]])
def test_without_a_state_it_ends_with_1_and_says_what_to_do(
    capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    assert run([*command, "--state", "nowhere", "--json"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "no state in nowhere; run `freshrec worker` or `freshrec replay` first" in captured.err
    assert not Path("nowhere").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["recommend"],
        ["recommend", "anna", "--k", "0"],
        ["similar"],
        ["rules"],
        ["rules", "tea", "--all"],
        ["rules", "--top", "0"],
        ["segment", "anna", "--k", "3"],
    ],
)
def test_wrong_usage_ends_with_2(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert run([*arguments, "--state", "state"]) == 2
    assert "Usage: freshrec" in capsys.readouterr().err


def test_tables_name_titles_and_say_why_in_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRESHREC_RECOMMEND__MAX_REASONS", "9")
    shown = table(capsys, "recommend", "ben") + table(capsys, "recommend", "gina")
    for words in ("for ben", "The jam", "looked at recently", "similar to tea (0.", "popular: all"):
        assert words in shown
    assert "bought with tea (lift 1.5, 50%)" in shown
    assert "The bread" in table(capsys, "similar", "jam")
    shown = table(capsys, "rules", "bread")
    assert "orders" in shown
    assert "jam The jam" in shown


def test_the_table_of_segments_marks_the_customers_own(capsys: pytest.CaptureFixture[str]) -> None:
    mine = answer(capsys, "segment", "anna")["segment"]
    shown = table(capsys, "segment", "anna")
    assert f"→ {mine}" in shown
    assert shown.count("→") == 1
    assert "food" in shown


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ({"source": "similarity", "item_id": "tea", "similarity": 0.756}, "similar to tea (0.76)"),
        (
            {"source": "rules", "item_id": "tea", "scope": "orders", "lift": 2.04, "confidence": 0.5},
            "bought with tea (lift 2.0, 50%)",
        ),
        (
            {"source": "rules", "item_id": "tea", "scope": "sessions", "lift": 3.0, "confidence": 1.0},
            "viewed with tea (lift 3.0, 100%)",
        ),
        ({"source": "popularity", "scope": "category:food", "value": 3.0}, "popular: category:food"),
        ({"source": "recent", "item_id": "tea", "seconds_ago": 5}, "looked at recently"),
        ({"source": "something-new"}, "something-new"),
        (
            {"source": "content", "item_id": "tea", "similarity": 0.5, "attributes": ["brand:x", "tag:y"]},
            "like tea: brand:x, tag:y",
        ),
        ({"source": "social", "people": 2, "share": 0.5}, "2 of those followed act on it"),
    ],
)
def test_each_reason_has_words(reason: dict[str, Any], words: str) -> None:
    assert in_words(reason) == words
