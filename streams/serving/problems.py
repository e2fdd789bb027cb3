"""Errors as JSON problem details (RFC 9457): what was seen, what was expected, what to do."""

from collections.abc import Sequence
from http import HTTPStatus

import msgspec
from aiohttp import web

from schemas.answers import Fault, Problem

CONTENT_TYPE = "application/problem+json"


class RefusedError(Exception):
    """A request that gets no answer but a problem.

    Parameters
    ----------
    status : int
        HTTP status.
    detail : str
        What was seen, expected, and to be done.
    faults : sequence of Fault
        Each fault of the request.
    headers : dict of str to str, optional
        Of the answer.
    """

    def __init__(
        self, status: int, detail: str, faults: Sequence[Fault] = (), headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        title = HTTPStatus(status).phrase
        self.problem = Problem("about:blank", title, status, detail, list(faults))
        self.headers = headers or {}

    def response(self) -> web.Response:
        """Give the answer."""
        body = msgspec.json.encode(self.problem)
        return web.Response(
            body=body, status=self.problem.status, content_type=CONTENT_TYPE, headers=self.headers
        )


def wrong(faults: Sequence[Fault]) -> RefusedError:
    """Refuse a request for what is wrong with its parameters or body."""
    more = "is 1 fault" if len(faults) == 1 else f"are {len(faults)} faults"
    return RefusedError(
        400, f"there {more} in the request; mend what `faults` names and send it again", faults
    )


def unknown(what: str, name: str) -> RefusedError:
    """Say that nothing is known of somebody or something."""
    return RefusedError(404, f"{what} {name!r} is not known here; check the id, or wait for its first events")
