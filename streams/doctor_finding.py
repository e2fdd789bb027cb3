"""What a check of `freshrec doctor` finds: the shape alone."""

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """What a check found; `cause` says what was seen, also when all is well."""

    name: str
    ok: bool
    cause: str
    what_to_do: str = ""
