"""Events as these tests write them, and random logs of a small shop."""

from hypothesis import strategies as st

from schemas.messages import Event, Line

ITEMS = [f"i{n}" for n in range(8)]
KEYS = [f"u:{n}" for n in range(4)]


def act(
    key: str,
    item: str,
    at: int = 0,
    *,
    kind: str = "view",
    session: str | None = None,
    value: float | None = None,
    more: tuple[str, ...] = (),
) -> Event:
    lines = [Line(name, []) for name in (item, *more)]
    scale_max = 5.0 if kind == "rating" else None
    return Event(key, kind, at, "browses", 0, at, at, at, None, session, None, lines, value, scale_max)


@st.composite
def logs(draw: st.DrawFn) -> list[Event]:
    """A random log in the order of time."""
    pairs = draw(st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(ITEMS)), max_size=40))
    return [act(key, item, 1_000 * at) for at, (key, item) in enumerate(pairs)]
