"""What is to be evaluated, as the command line says it: the data, cut as the protocol wants it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import msgspec

from online_models.evaluation.actions import Action, Ask, Logged
from online_models.evaluation.asking import Asker
from online_models.evaluation.protocols import by_session, prequential, temporal
from online_models.evaluation.relevance import ACTIONS, Relevance
from online_models.evaluation.splitting import (
    Session,
    last_sessions,
    place_of_share,
    prepared,
    sessions_of,
)
from schemas.messages import Event
from schemas.settings import Settings
from streams.errors import FreshrecError
from streams.evaluating.logs import LogReader

VALIDATION_SHARE = 0.1
"""Of what a model learns from, the last part on which parameters are tuned."""


_FOR_EVER_S = 100 * 365 * 86_400


class EvaluationError(FreshrecError):
    """What was asked for cannot be evaluated."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for."""

    protocol: str
    format: str
    k: int
    live: bool = True
    train: Path | None = None
    test: Path | None = None
    events: Path | None = None
    test_share: float | None = None
    train_share: float = 0.8
    warmup: float = 0.3
    relevant: str = ""
    drop_others: bool = False
    repeats: bool = False
    only_new: bool = False
    limit: int | None = None


def settings_for(request: Request, settings: Settings) -> Settings:
    """Return settings under which lists hold what counts: what somebody has, too, where repeats count.

    Test sessions come in the order of the file, not of time: guests stay all the while.
    """
    replace = msgspec.structs.replace
    if request.protocol == "sessions":
        settings = replace(settings, history=replace(settings.history, guest_ttl_s=_FOR_EVER_S))
    if request.repeats or request.protocol == "sessions":
        settings = replace(settings, recommend=replace(settings.recommend, repeat_purchases=True))
    return settings


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """Data that is cut: what is learned first, and what is asked about (sessions, or a log)."""

    protocol: str
    k: int
    live: bool
    repeats: bool
    relevant: Relevance
    train: list[Logged]
    test: list[Session] | list[Logged]
    only_new: bool = False
    limit: int | None = None

    @property
    def mode(self) -> str:
        """Whether models learn what they are asked about."""
        return "live" if self.live else "frozen"

    @property
    def total(self) -> int:
        """Entries to go through."""
        sessions = sum(len(each) if isinstance(each, list) else 1 for each in self.test)
        return len(self.train) + sessions

    def log(self) -> Iterator[Logged]:
        """All that happens."""
        yield from self.train
        for each in self.test:
            yield from each if isinstance(each, list) else [each]

    def actions(self, settings: Settings) -> tuple[Asker, Iterator[Action]]:
        """Return what the protocol lets happen, and who makes the questions."""
        asker = Asker(settings, k=self.k, repeats=self.repeats, only_new=self.only_new)
        return asker, _limited(self._actions(asker), self.limit)

    def _actions(self, asker: Asker) -> Iterator[Action]:
        if self.protocol == "sessions":
            sessions = [each for each in self.test if isinstance(each, list)]
            return by_session(self.train, sessions, asker, live=self.live)
        log = [*self.train, *(each for each in self.test if not isinstance(each, list))]
        size = len(self.train)
        if self.protocol == "prequential":
            return prequential(log, asker, relevant=self.relevant, warmup=size)
        return temporal(log, asker, relevant=self.relevant, train=size)

    def validation(self, settings: Settings) -> "Trial":
        """Return the same trial on the tail of what is learned from; the test is out of sight."""
        change = msgspec.structs.replace
        if self.protocol == "sessions":
            gap_ms = settings.history.session_gap_s * 1000
            train, test = last_sessions(self.train, VALIDATION_SHARE, gap_ms=gap_ms)
            return change(self, train=train, test=prepared(test, train))
        size = place_of_share(self.train, 1 - VALIDATION_SHARE * 3)
        return change(self, train=self.train[:size], test=self.train[size:])


def open_trial(request: Request, settings: Settings, reader: LogReader) -> Trial:
    """Read the files and cut them.

    Raises
    ------
    EvaluationError
        The options don't go together, or nothing is left to ask about.
    FormatError
        A file is not there, or not of the format.
    """
    relevant = _relevance(request.relevant)
    if request.protocol == "sessions":
        if request.only_new:
            raise EvaluationError(
                "--only-new does not go with sessions, whose items are known; use prequential or temporal"
            )
        train, test = _sessions(request, settings, reader)
        if not test:
            raise EvaluationError(
                "no test session with two known items is left; name a longer test, or a larger --test-share"
            )
        return Trial(
            protocol="sessions",
            k=request.k,
            live=request.live,
            repeats=True,
            relevant=relevant,
            train=train,
            test=test,
            limit=request.limit,
        )
    log = reader.read(only_file(request), request.format)
    if request.drop_others:
        log = [each for each in log if not _is_act(each) or relevant(each)]
    share = request.warmup if request.protocol == "prequential" else request.train_share
    if request.test_share is not None:
        share = 1 - request.test_share
    size = place_of_share(log, share)
    return Trial(
        protocol=request.protocol,
        k=request.k,
        live=request.protocol == "prequential",
        repeats=request.repeats,
        relevant=relevant,
        train=log[:size],
        test=log[size:],
        only_new=request.only_new,
        limit=request.limit,
    )


def _sessions(request: Request, settings: Settings, reader: LogReader) -> tuple[list[Logged], list[Session]]:
    gap_ms = settings.history.session_gap_s * 1000
    if request.test is None:
        share = request.test_share
        if share is None:
            raise EvaluationError(
                "there is nothing to test on; name it with --test FILE, or split one file by --test-share"
            )
        train, test = last_sessions(reader.read(only_file(request), request.format), share, gap_ms=gap_ms)
    else:
        if request.train is None:
            raise EvaluationError("--test is there without --train; name the file to learn from")
        train = reader.read(request.train, request.format)
        test = sessions_of(reader.read(request.test, request.format), gap_ms=gap_ms)
    return train, prepared(test, train)


def _is_act(logged: Logged) -> TypeGuard[Event]:
    return isinstance(logged, Event) and logged.kind in ACTIONS


def only_file(request: Request) -> Path:
    """Return the one file that is to be split."""
    named = [path for path in (request.events, request.train) if path is not None]
    if len(named) != 1 or request.test is not None:
        raise EvaluationError(
            f"{request.protocol} splits one file, but {len(named)} were named; name it with --events FILE"
        )
    return named[0]


def _relevance(text: str) -> Relevance:
    try:
        return Relevance(text)
    except ValueError as error:
        raise EvaluationError(f"--relevant: {error}") from error


def _limited(actions: Iterator[Action], limit: int | None) -> Iterator[Action]:
    left = limit
    for action in actions:
        if left is not None and isinstance(action, Ask):
            if not left:
                return
            left -= 1
        yield action
