"""What the command line asks for, cut as the protocol wants it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from online_models.evaluation.actions import Ask
from schemas.messages import Event
from schemas.settings import Settings
from streams.evaluating.logs import LogReader
from streams.evaluating.trial import EvaluationError, Request, Trial, open_trial, settings_for

SESSIONS = "".join(f"{n}\t{n % 5} {(n + 1) % 5} {n % 5}\n" for n in range(100))
RATINGS = "userId,movieId,rating,timestamp\n" + "".join(
    f"{n % 9},{n % 17},{1 + n % 5},{1_000_000 + n}\n" for n in range(100)
)


@pytest.fixture
def sessions(tmp_path: Path) -> Path:
    file = tmp_path / "sessions.tsv"
    file.write_text(SESSIONS)
    return file


@pytest.fixture
def ratings(tmp_path: Path) -> Path:
    file = tmp_path / "ratings.csv"
    file.write_text(RATINGS)
    return file


def opened(protocol: str, format: str, **asked: Any) -> Trial:
    settings = Settings()
    request = Request(protocol=protocol, format=format, k=asked.pop("k", 5), **asked)
    return open_trial(request, settings, LogReader(settings))


def keys(trial: Trial) -> list[str]:
    return [each[0].key for each in trial.test if isinstance(each, list)]


def asked_of(trial: Trial) -> list[Ask]:
    return [each for each in trial.actions(Settings())[1] if isinstance(each, Ask)]


def test_one_file_of_sessions_is_split_by_time(sessions: Path) -> None:
    trial = opened("sessions", "session-lists", events=sessions, test_share=0.05)
    assert keys(trial) == [f"s:{n}" for n in range(95, 100)]
    assert len(trial.train) == 95 * 3
    assert len(asked_of(trial)) == 5 * 2
    assert trial.total == 300


def test_train_and_test_may_be_two_files(sessions: Path, tmp_path: Path) -> None:
    test = tmp_path / "test.tsv"
    test.write_text("900\t1 99 2\n901\t1 99\n")
    trial = opened("sessions", "session-lists", train=sessions, test=test, live=False)
    assert keys(trial) == ["s:900"]
    assert len(trial.train) == 300
    assert trial.mode == "frozen"


@pytest.mark.parametrize(("drop", "train"), [(True, 8), (False, 20)])
def test_what_is_not_relevant_is_dropped_before_the_split_or_only_learned(
    ratings: Path, drop: bool, train: int
) -> None:
    trial = opened(
        "prequential", "movielens", events=ratings, warmup=0.2, relevant="rating>=4", drop_others=drop
    )
    assert len(trial.train) == train
    values = {each.value for each in trial.log() if isinstance(each, Event)}
    assert values == ({4.0, 5.0} if drop else {1.0, 2.0, 3.0, 4.0, 5.0})
    assert all(each.relevant for each in asked_of(trial))


def test_temporal_keeps_models_as_they_are(ratings: Path) -> None:
    trial = opened("temporal", "movielens", events=ratings, train_share=0.5)
    assert (trial.mode, len(trial.train)) == ("frozen", 50)
    customers = [ask.query.key for ask in asked_of(trial)]
    assert customers == sorted(set(customers))


def test_a_share_for_the_test_stands_for_the_other_shares(ratings: Path) -> None:
    assert len(opened("temporal", "movielens", events=ratings, test_share=0.1).train) == 90
    assert len(opened("prequential", "movielens", events=ratings, test_share=0.1).train) == 90


def test_no_more_queries_are_asked_than_wanted(ratings: Path) -> None:
    assert len(asked_of(opened("prequential", "movielens", events=ratings, limit=7))) == 7


def _messages(tmp_path: Path) -> Path:
    """Five items of the catalogue, a link, and ten views of three of the items."""
    lines = [f'{{"type":"item","item_id":"i{n}","at":0}}' for n in range(5)]
    lines.append('{"type":"link","user_id":"u0","target_id":"u1","weight":1,"at":0}')
    lines += [
        f'{{"type":"browse","event_id":"b{n}","user_id":"u{n % 2}",'
        f'"item_id":"i{min(n // 2, 2)}","at":{n + 1}}}'
        for n in range(10)
    ]
    file = tmp_path / "all.jsonl"
    file.write_text("\n".join(lines))
    return file


def test_a_share_counts_actions_and_links_are_not_dropped_with_other_events(tmp_path: Path) -> None:
    trial = opened(
        "temporal", "jsonl", events=_messages(tmp_path), train_share=0.4, relevant="view", drop_others=True
    )
    assert (len(trial.train), len(trial.test)) == (5 + 1 + 4, 6)


def test_only_items_that_were_new_at_the_split_are_right_and_may_be_ranked(tmp_path: Path) -> None:
    for protocol, share in (("temporal", {"train_share": 0.4}), ("prequential", {"warmup": 0.4})):
        trial = opened(protocol, "jsonl", events=_messages(tmp_path), only_new=True, **share)
        asks = asked_of(trial)
        assert asks
        assert {item for ask in asks for item in ask.relevant} == {"i2"}
        assert all(ask.query.exclude >= {"i0", "i1"} for ask in asks)
        assert [ask.new for ask in asks][:1] == [frozenset({"i2"})]


@pytest.mark.parametrize("protocol", ["sessions", "prequential", "temporal"])
def test_validation_sees_nothing_of_the_test(protocol: str, sessions: Path) -> None:
    trial = opened(protocol, "session-lists", events=sessions, test_share=0.2)
    seen = {id(each) for each in trial.train}
    validation = trial.validation(Settings())
    log = list(validation.log())
    assert log
    assert validation.test
    assert all(id(each) in seen for each in log)
    assert asked_of(validation)


@pytest.mark.parametrize(
    ("protocol", "asked", "told"),
    [
        ("sessions", {}, "--test FILE"),
        ("sessions", {"test": Path("x")}, "--test is there without --train"),
        ("sessions", {"test_share": 0.1}, "0 were named"),
        ("prequential", {}, "--events FILE"),
        ("temporal", {"events": Path("x"), "train": Path("y")}, "2 were named"),
        ("prequential", {"events": Path("x"), "relevant": "click"}, "--relevant"),
    ],
)
def test_options_that_do_not_go_together_are_told(protocol: str, asked: dict[str, Any], told: str) -> None:
    with pytest.raises(EvaluationError, match=told):
        opened(protocol, "session-lists", **asked)


def test_sessions_have_no_new_items(sessions: Path) -> None:
    with pytest.raises(EvaluationError, match="--only-new"):
        opened("sessions", "session-lists", events=sessions, test_share=0.1, only_new=True)


def test_a_test_of_which_nothing_is_left_is_told(sessions: Path, tmp_path: Path) -> None:
    test = tmp_path / "test.tsv"
    test.write_text("900\tx y\n")
    with pytest.raises(EvaluationError, match="no test session with two known items"):
        opened("sessions", "session-lists", train=sessions, test=test)


def test_settings_let_lists_hold_what_counts_and_keep_guests_where_sessions_are_in_no_order_of_time() -> None:
    given, path = Settings(), Path("x")
    sessions = settings_for(Request(protocol="sessions", format="sessions", k=5, events=path), given)
    assert sessions.recommend.repeat_purchases and sessions.history.guest_ttl_s > 10 * 365 * 86_400
    repeats = Request(protocol="prequential", format="jsonl", k=5, events=path, repeats=True)
    assert settings_for(repeats, given).recommend.repeat_purchases
    assert settings_for(msgspec.structs.replace(repeats, repeats=False), given) == given
