"""The three protocols: sessions (frozen or live), prequential and temporal.

Each turns logs into actions, one after another; who learns and answers is not known here.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from online_models.evaluation.actions import Action, Logged
from online_models.evaluation.asking import Asker
from schemas.messages import Event

Relevant = Callable[[Event], bool]


def by_session(
    train: Iterable[Logged], test: Sequence[Sequence[Event]], asker: Asker, *, live: bool
) -> Iterator[Action]:
    """After each event of each test session, ask for the next one.

    Parameters
    ----------
    train : iterable of Event or ItemFacts
        Learned first.
    test : sequence of sessions
        As `online_models.evaluation.splitting.prepared` gives them.
    asker : Asker
        Keeps repeats.
    live : bool
        Whether an event of a test session is learned, once it was scored; histories go on either way.

    References
    ----------
    Ludewig, Mauro, Latifi, Jannach: Empirical Analysis of Session-Based Recommendation Algorithms, UMUAI 31,
    2021 (session-rec).
    """
    for logged in train:
        yield asker.learn(logged)
    for session in test:
        previous: Event | None = None
        for event in session:
            if previous is not None:
                relevant = {line.item for line in event.lines}
                ask = asker.ask(event.key, now=previous.at, relevant=relevant, session_id=previous.session_id)
                if ask is not None:
                    yield ask
            if live:
                yield asker.learn(event)
            else:
                asker.note(event)
            previous = event


def prequential(log: Sequence[Logged], asker: Asker, *, relevant: Relevant, warmup: int) -> Iterator[Action]:
    """Predict, score, then learn: event by event, in the order of time.

    Parameters
    ----------
    log : sequence of Event or ItemFacts
        In the order of time.
    asker : Asker
        Says whether repeats count.
    relevant : callable
        Which events are predicted; the others are only learned.
    warmup : int
        So many entries of the log are only learned.

    References
    ----------
    Gama, Sebastião, Rodrigues: On Evaluating Stream Learning Algorithms, Machine Learning 90, 2013.
    """
    for place, logged in enumerate(log):
        if place == warmup:
            asker.begin()
        if place >= warmup and isinstance(logged, Event) and relevant(logged):
            items = {line.item for line in logged.lines}
            ask = asker.ask(logged.key, now=logged.at, relevant=items, session_id=logged.session_id)
            if ask is not None:
                yield ask
        yield asker.learn(logged)


def temporal(log: Sequence[Logged], asker: Asker, *, relevant: Relevant, train: int) -> Iterator[Action]:
    """Learn the first part, ask once for everybody who goes on, score against all that they do later.

    Parameters
    ----------
    log : sequence of Event or ItemFacts
        In the order of time.
    asker : Asker
        Says whether repeats count.
    relevant : callable
        Which of the later events are right answers.
    train : int
        So many entries of the log are learned.

    Notes
    -----
    Who is known by an order alone can't be recognised, and isn't asked.
    """
    now = 0
    for logged in log[:train]:
        now = max(now, logged.at)
        yield asker.learn(logged)
    asker.begin()
    later: dict[str, set[str]] = {}
    for logged in log[train:]:
        if isinstance(logged, Event) and not logged.key.startswith("o:") and relevant(logged):
            later.setdefault(logged.key, set()).update(line.item for line in logged.lines)
    for key in sorted(later):
        ask = asker.ask(key, now=now, relevant=later[key])
        if ask is not None:
            yield ask
