"""What is told of a customer's history to processes that answer and do not learn: topic `histories`.

A part of the row that the history stage keeps: digests of events, orders and counters of bounds stay there.
"""

import msgspec

from schemas.state import Behaviour, HistoryRow, ItemMark, SessionMark


class KnownHistory(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A customer as of their newest list; `at` is that of the newest event (epoch ms).

    Guests are not told of. Of sessions the acts are told, not the sets that rules count.
    """

    user: str
    at: int
    items: dict[str, ItemMark]
    sessions: list[SessionMark]
    behaviour: Behaviour
    follows: dict[int, float] = {}

    @classmethod
    def of(cls, user: str, at: int, row: HistoryRow) -> "KnownHistory":
        """Take from a row what answers need.

        Examples
        --------
        >>> row = HistoryRow({"tea": ItemMark(4, 7)}, [SessionMark("s", 7, 7, ["tea"], ["tea"])], b"digests")
        >>> KnownHistory.of("anna", 7, row).row() == HistoryRow(
        ...     {"tea": ItemMark(4, 7)}, [SessionMark("s", 7, 7, [], ["tea"])], last_at=7
        ... )
        True
        """
        sessions = [SessionMark(x.session_id, x.first_at, x.last_at, [], x.acts) for x in row.sessions]
        return cls(user, at, row.items, sessions, row.behaviour, row.follows)

    def row(self) -> HistoryRow:
        """Give it as a row, for a recommender; it shares what it holds and must not be changed."""
        return HistoryRow(
            self.items, self.sessions, behaviour=self.behaviour, last_at=self.at, follows=self.follows
        )
