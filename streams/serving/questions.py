"""Reading a request: parameters by the route's list, bodies into their structs; all faults are named."""

from typing import Final, TypeVar
from urllib.parse import unquote_to_bytes

import msgspec
from aiohttp import web

from schemas.answers import Fault
from schemas.cloud_events import BATCHED, CLOUD_EVENTS, PREFIX
from schemas.settings import IngestSettings, ServeSettings
from streams.serving.problems import RefusedError, wrong
from streams.serving.routes import Parameter, Route

Body = TypeVar("Body")
_HTTP_PREFIX: Final = "ce-"
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


class Query:
    """Parameters of a request, checked.

    Parameters
    ----------
    request : web.Request
        What was asked.
    route : Route
        What may be asked there.
    serve, ingest : settings
        Bounds of k and of ids.

    Raises
    ------
    RefusedError
        Something is wrong with them; each fault is named.
    """

    def __init__(
        self, request: web.Request, route: Route, serve: ServeSettings, ingest: IngestSettings
    ) -> None:
        self._values: dict[str, object] = {}
        self.id = request.match_info.get("id", "")
        if not request.query_string and len(self.id) <= ingest.max_id_bytes // 4:
            return
        self._max_k, self._max_id_bytes = serve.max_k, ingest.max_id_bytes
        self._faults: list[Fault] = []
        self._check_id("id", self.id)
        known = {each.name: each for each in route.parameters}
        for name in dict.fromkeys(request.query):
            if name in known:
                self._read(known[name], request.query.getall(name))
            else:
                expected = ", ".join(known) or "none"
                self._fault(name, "unknown_parameter", f"this path has no `{name}`; expected {expected}")
        if self._faults:
            raise wrong(self._faults)

    def length(self, default: int) -> int:
        """How many items are wanted."""
        value = self._values.get("k", default)
        return value if isinstance(value, int) else default

    def ids(self, name: str) -> tuple[str, ...]:
        """Ids that were named."""
        value = self._values.get(name, ())
        return value if isinstance(value, tuple) else ()

    def text(self, name: str) -> str:
        """A name, "" where there is none."""
        value = self._values.get(name, "")
        return value if isinstance(value, str) else ""

    def flag(self, name: str, *, default: bool) -> bool:
        """Whether something is wanted."""
        value = self._values.get(name, default)
        return value if isinstance(value, bool) else default

    def _read(self, parameter: Parameter, given: list[str]) -> None:
        name = parameter.name
        if parameter.kind == "ids":
            for each in given:
                self._check_id(name, each)
            if len(given) > MOST_IDS:
                self._fault(name, "bad_value", f"{len(given)} ids; at most {MOST_IDS} are accepted")
            self._values[name] = tuple(given)
            return
        if len(given) > 1:
            self._fault(name, "bad_value", f"`{name}` is named {len(given)} times; expected once")
        value = given[0]
        if parameter.kind == "id":
            self._check_id(name, value)
            self._values[name] = value
        elif parameter.kind == "flag":
            if value.lower() not in _FLAGS:
                self._fault(name, "bad_value", f"`{name}` is {value[:80]!r}; expected true or false")
            self._values[name] = _FLAGS.get(value.lower(), True)
        elif not (value.isascii() and value.isdigit() and len(value) < 10 and 1 <= int(value) <= self._max_k):
            expected = f"a whole number from 1 to {self._max_k}"
            self._fault(name, "bad_value", f"`{name}` is {value[:80]!r}; expected {expected}")
        else:
            self._values[name] = int(value)

    def _check_id(self, name: str, value: str) -> None:
        if not value and name != "id":
            self._fault(name, "missing_field", f"`{name}` is empty")
        elif len(value.encode(errors="surrogatepass")) > self._max_id_bytes:
            self._fault(name, "bad_value", f"`{name}` has over {self._max_id_bytes} bytes")

    def _fault(self, name: str, reason: str, detail: str) -> None:
        self._faults.append(Fault(name, reason, detail))


MOST_IDS = 1_000


async def raw_body(request: web.Request, serve: ServeSettings) -> bytes:
    """Read a body.

    Raises
    ------
    RefusedError
        It is empty or larger than `serve.max_body_bytes`.
    """
    try:
        raw = await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        most = serve.max_body_bytes
        raise RefusedError(413, f"the body is larger than {most} bytes; send less at a time") from error
    if not raw:
        raise wrong([Fault("", "empty_value", "there is no body; expected JSON")])
    return raw


def event_headers(request: web.Request) -> list[tuple[str, bytes | None]]:
    """Return what makes a body one CloudEvent, named as in a Kafka record; nothing for other bodies.

    In binary mode attributes are percent-encoded; a batch is an array, whose events tell it themselves.
    """
    attributes: list[tuple[str, bytes | None]] = [
        (PREFIX + name[len(_HTTP_PREFIX) :].lower(), unquote_to_bytes(value.encode(errors="surrogateescape")))
        for name, value in request.headers.items()
        if name.lower().startswith(_HTTP_PREFIX)
    ]
    content_type = request.headers.get("Content-Type", "").encode(errors="surrogateescape")
    alone = request.content_type.startswith(CLOUD_EVENTS) and request.content_type != BATCHED
    return [*attributes, ("content-type", content_type)] if attributes or alone else []


async def body_of(request: web.Request, decoder: "msgspec.json.Decoder[Body]", serve: ServeSettings) -> Body:
    """Read a body into its struct.

    Raises
    ------
    RefusedError
        It is not what is expected.
    """
    raw = await raw_body(request, serve)
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at ")
        raise wrong([Fault(place.strip("`").removeprefix("$."), "bad_value", what)]) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise wrong([Fault("", "invalid_json", f"not JSON in UTF-8: {error}")]) from error


def checked_length(k: int | None, default: int, serve: ServeSettings) -> int:
    """Return how many items a body asks for.

    Raises
    ------
    RefusedError
        More than `serve.max_k`.
    """
    if k is not None and k > serve.max_k:
        raise wrong([Fault("k", "bad_value", f"`k` is {k}; expected a whole number from 1 to {serve.max_k}")])
    return default if k is None else k
