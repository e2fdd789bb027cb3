"""What the supervisor tells the processes it starts: it needs neither Faust nor compiled loops itself."""

import msgspec

from schemas.settings import Settings


class ChildPlan(msgspec.Struct):
    """What the supervisor tells a child, on the command line as JSON."""

    group: str
    stages: tuple[str, ...]
    slot: int
    socket: str
    pipe: int
    settings: Settings
