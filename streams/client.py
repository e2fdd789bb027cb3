"""A typed client of the HTTP API, for Python services: answers come as the structs of `schemas.answers`.

Synchronous, over one connection that is kept open; a client belongs to one thread. What is sent with
`send_events` counts once under its event id, so that it may be sent again after a failure.
"""

import http.client
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from schemas.answers import (
    BasketAnswer,
    BasketQuestion,
    EventsAnswer,
    HistoryAnswer,
    ItemRules,
    PopularAnswer,
    Problem,
    Recommended,
    SegmentAnswer,
    SessionQuestion,
)
from schemas.events import PublicMessage
from schemas.experiments import ExperimentReport
from schemas.recommendations import SimilarItems
from streams.errors import FreshrecError

Answer = TypeVar("Answer")
_encode = msgspec.json.Encoder().encode


class ApiError(FreshrecError):
    """The API answered with a problem.

    Parameters
    ----------
    problem : Problem
        Status, what was wrong, and what to do.
    """

    def __init__(self, problem: Problem) -> None:
        faults = "".join(f"; {each.field or 'message'}: {each.detail}" for each in problem.faults)
        super().__init__(f"{problem.status} {problem.title}: {problem.detail}{faults}")
        self.problem = problem


class Client:
    """Asks one `freshrec serve`.

    Parameters
    ----------
    url : str
        Where it is, like http://127.0.0.1:8090.
    token : str, optional
        What the server asks for.
    timeout_s : float
        Longest wait for an answer.

    Raises
    ------
    ApiError
        By every method, where there is no answer but a problem.
    OSError
        By every method, where nobody answers.

    Examples
    --------
    >>> from schemas.answers import Fault, Problem
    >>> problem = Problem("about:blank", "Bad Request", 400, "1 fault", [Fault("k", "bad_value", "`k` is 0")])
    >>> print(ApiError(problem))
    400 Bad Request: 1 fault; k: `k` is 0
    """

    def __init__(self, url: str, *, token: str | None = None, timeout_s: float = 5.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"url is {url!r}; expected one like http://127.0.0.1:8090")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=timeout_s)
        self._path = parts.path.rstrip("/")
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next question opens another."""
        self._connection.close()

    def recommendations(
        self,
        user: str,
        *,
        k: int | None = None,
        context: Sequence[str] = (),
        exclude: Iterable[str] = (),
        category: str | None = None,
        explain: bool = True,
    ) -> Recommended:
        """Ask for a customer's list."""
        asked = {"k": k, "context": context, "exclude": exclude, "category": category, "explain": explain}
        return self._get(f"/v1/users/{quote(user, safe='')}/recommendations", asked, Recommended)

    def session_recommendations(self, question: SessionQuestion) -> Recommended:
        """Ask for a guest's list."""
        return self._send("POST", "/v1/sessions/recommendations", _encode(question), Recommended)

    def similar(
        self, item: str, *, k: int | None = None, exclude: Iterable[str] = (), category: str | None = None
    ) -> SimilarItems:
        """Ask for the items most similar to one."""
        asked = {"k": k, "exclude": exclude, "category": category}
        return self._get(f"/v1/items/{quote(item, safe='')}/similar", asked, SimilarItems)

    def rules(self, item: str, *, k: int | None = None, exclude: Iterable[str] = ()) -> list[ItemRules]:
        """Ask for the rules of an item, by scope."""
        return self._get(
            f"/v1/items/{quote(item, safe='')}/rules", {"k": k, "exclude": exclude}, list[ItemRules]
        )

    def basket(self, question: BasketQuestion) -> BasketAnswer:
        """Ask what goes with a basket."""
        return self._send("POST", "/v1/baskets", _encode(question), BasketAnswer)

    def segment(self, user: str) -> SegmentAnswer:
        """Ask for a customer's segment."""
        return self._get(f"/v1/users/{quote(user, safe='')}/segment", {}, SegmentAnswer)

    def history(self, user: str) -> HistoryAnswer:
        """Ask for a customer's history."""
        return self._get(f"/v1/users/{quote(user, safe='')}/history", {}, HistoryAnswer)

    def popular(
        self, *, k: int | None = None, exclude: Iterable[str] = (), category: str | None = None
    ) -> PopularAnswer:
        """Ask what is popular."""
        return self._get("/v1/popular", {"k": k, "exclude": exclude, "category": category}, PopularAnswer)

    def experiments(self) -> list[ExperimentReport]:
        """Ask what came of the variants of each experiment."""
        return self._get("/v1/experiments", {}, list[ExperimentReport])

    def send_events(self, messages: Sequence[PublicMessage]) -> EventsAnswer:
        """Send messages; returns once Kafka has them all."""
        return self._send("POST", "/v1/events", _encode(messages), EventsAnswer)

    def _get(self, path: str, asked: Mapping[str, object], type_: type[Answer]) -> Answer:
        query = urlencode([*_parameters(asked)])
        return self._send("GET", f"{path}?{query}" if query else path, None, type_)

    def _send(self, method: str, path: str, body: bytes | None, type_: type[Answer]) -> Answer:
        try:
            raw, status = self._exchange(method, path, body)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            # A server closes connections that nobody uses; a question may be asked twice.
            self.close()
            raw, status = self._exchange(method, path, body)
        if status < 400:
            return msgspec.json.decode(raw, type=type_)
        try:
            problem = msgspec.json.decode(raw, type=Problem)
        except msgspec.DecodeError:
            problem = Problem("about:blank", "no problem details", status, raw[:200].decode(errors="replace"))
        raise ApiError(problem)

    def _exchange(self, method: str, path: str, body: bytes | None) -> tuple[bytes, int]:
        self._connection.request(method, self._path + path, body, self._headers)
        response = self._connection.getresponse()
        return response.read(), response.status


def _parameters(asked: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    for name, value in asked.items():
        if isinstance(value, bool):
            if not value:
                yield name, "false"
        elif isinstance(value, str | int):
            yield name, str(value)
        elif isinstance(value, Iterable):
            yield from ((name, str(each)) for each in value)
