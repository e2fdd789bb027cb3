"""The files of the page, read once; the page may load nothing from elsewhere, and run nothing but these."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Final

from aiohttp import web

HOME: Final = "/"
FILES: Final = "/web/{name}"
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
_TYPES: Final = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_INDEX: Final = "index.html"


def routes() -> list[web.RouteDef]:
    """Make the routes of the page and of each of its files."""
    found = dict(_files())

    async def home(_: web.Request) -> web.Response:
        return _response(_INDEX, found[_INDEX])

    async def file(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in found:
            raise web.HTTPNotFound
        return _response(name, found[name])

    return [web.get(HOME, home), web.get(FILES, file)]


def _files() -> Iterator[tuple[str, bytes]]:
    for each in files("streams.serving").joinpath("web").iterdir():
        if each.is_file():
            yield each.name, each.read_bytes()


def _response(name: str, body: bytes) -> web.Response:
    kind = _TYPES.get(name.rpartition(".")[2], "text/plain")
    return web.Response(body=body, content_type=kind, charset="utf-8", headers=_HEADERS)
