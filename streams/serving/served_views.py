"""All that is followed for answers: the views of the recommender, and what is known of each customer."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from online_models.protocols import Views as RecommenderViews
from online_models.session_kernels import LAST_AT
from schemas.experiments import ArmTallies
from schemas.histories import KnownHistory
from schemas.recommendations import Recommendation, Segment, SegmentProfile
from schemas.settings import Settings
from streams.followed import FollowedTopic, Views
from streams.remembered import RememberedSessions
from streams.rules_file import RulesFile


class AnswerViews(RecommenderViews, Protocol):
    """What answers are made of."""

    def standing(self, user: str) -> Recommendation | None: ...

    def history(self, user: str) -> KnownHistory | None: ...

    def segment(self, user: str) -> Segment | None: ...

    def profile(self, segment: str) -> SegmentProfile | None: ...

    def newest_at(self) -> int | None: ...


class ApiViews(AnswerViews, Protocol):
    """What all routes ask: answers, and what came of experiments."""

    def arm_tallies(self) -> Sequence[ArmTallies]: ...


def ruled_at(views: AnswerViews, at: int) -> int:
    """When it is for the shop's rules in an answer as of `at`: by the newest event of all they hold."""
    newest = views.newest_at()
    return at if newest is None else max(at, newest)


class ServedViews(Views):
    """Views of a process that answers.

    Parameters
    ----------
    topics : mapping of str to FollowedTopic
        By topic name.
    settings : Settings
        As for every view.
    remembered : RememberedSessions, optional
        The newest sessions.
    rules_file : RulesFile, optional
        The shop's own rules.
    """

    def __init__(
        self,
        topics: Mapping[str, FollowedTopic[object]],
        settings: Settings,
        remembered: RememberedSessions | None = None,
        rules_file: RulesFile | None = None,
    ) -> None:
        super().__init__(dict(topics), settings, remembered, rules_file)

    def standing(self, user: str) -> Recommendation | None:
        """The customer's list as it was published last; a guest's session of that name has none."""
        found = self._get("recommendations", user, Recommendation)
        return found if found is not None and found.user_id == user else None

    def history(self, user: str) -> KnownHistory | None:
        """The customer's history as of that list."""
        return self._get("histories", user, KnownHistory)

    def segment(self, user: str) -> Segment | None:
        """The customer's segment, as last published."""
        return self._get("segments", user, Segment)

    def profile(self, segment: str) -> SegmentProfile | None:
        """What a segment is like."""
        return self._get("segment-profiles", segment, SegmentProfile)

    def newest_at(self) -> int | None:
        """Time of the last event of the newest session, epoch ms; None where no session is known."""
        index = self.sessions()
        if index is None or index.newest < 0:
            return None
        return int(index.about[index.newest % len(index.about), LAST_AT])
