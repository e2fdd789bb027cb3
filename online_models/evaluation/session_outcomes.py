"""What comes of the sessions of a log, as the trees get to see it: the steps before them in one process."""

from collections.abc import Iterable, Iterator

from online_models.evaluation.actions import Logged
from online_models.evaluation.plain_store import PlainStore
from online_models.history import HistoryStep
from online_models.outcomes import OutcomesStep
from schemas.messages import Event, Fact
from schemas.settings import Settings
from schemas.state import ExpiryRow, GuestChunk, HistoryRow, TotalsRow
from schemas.trees import OpenVisits, Outcome, VisitRow


def outcomes_of(log: Iterable[Logged], settings: Settings) -> Iterator[Outcome]:
    """Yield the outcomes of a log in the order in which they become known.

    Sessions that are open when the log ends have none.

    Examples
    --------
    >>> from schemas.messages import Line
    >>> def event(kind, at):
    ...     tea = [Line("tea", ["drinks"])]
    ...     return Event("u:anna", kind, at, "browses", 0, at, at, at, session_id="s1", lines=tea)
    >>> log = [event("view", 1), event("purchase", 2), event("view", 10**9)]
    >>> [each.bought for each in outcomes_of(log, Settings())]
    [True, False]
    """
    stores = PlainStore[ExpiryRow](), PlainStore[GuestChunk]()
    history = HistoryStep(PlainStore[HistoryRow](), PlainStore[TotalsRow](), *stores, settings)
    step = OutcomesStep(PlainStore[VisitRow](), PlainStore[OpenVisits](), settings)
    for logged in log:
        if isinstance(logged, Event):
            for output in history.learn_one(logged):
                if isinstance(output, Fact):
                    yield from step.learn_one(output)
