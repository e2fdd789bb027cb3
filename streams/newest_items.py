"""The newest items by what they are like, which a process holds in memory and saves for its next start.

They are taught what arrives of the catalogue; what comes again changes nothing.
"""

from pathlib import Path
from typing import Final

import msgspec

from online_models.content import content_index
from online_models.content_index import ContentIndex
from schemas.messages import ItemFacts
from schemas.settings import Settings
from schemas.state import SavedContents
from streams.whole_files import replace_file

FILE: Final = "contents"
_VERSION: Final = 1
_decode = msgspec.msgpack.Decoder(SavedContents).decode
_encode = msgspec.msgpack.Encoder().encode


class NewestItems:
    """A content index that follows the catalogue, and its file.

    Parameters
    ----------
    path : Path
        Where it is saved; what is there is taken over.
    index : ContentIndex
        An empty one.

    Attributes
    ----------
    index : ContentIndex
        What models read.
    offsets : dict of int to int
        Next record of each partition of the catalogue's topic.
    """

    def __init__(self, path: Path, index: ContentIndex) -> None:
        self._path, self.index, self.changed = path, index, False
        saved = _read(path)
        taken = saved is not None and index.restore(saved.rows)
        self.offsets: dict[int, int] = saved.offsets if saved is not None and taken else {}

    @classmethod
    def of(cls, path: Path, settings: Settings) -> "NewestItems | None":
        """Return those at a path; None where content says nothing."""
        index = content_index(settings)
        return None if index is None else cls(path, index)

    def learn(self, item: str, facts: ItemFacts | None) -> None:
        """Take a row of the catalogue; None withdraws it."""
        if facts is None:
            self.index.forget(item)
        else:
            self.index.learn_one(facts)
        self.changed = True

    def frozen(self) -> SavedContents:
        """Return a copy of all as of now, to be written by `save`."""
        self.changed = False
        return SavedContents(_VERSION, dict(self.offsets), self.index.all())

    def save(self, frozen: SavedContents) -> None:
        """Put a copy in the place of the one before, as a whole."""
        replace_file(self._path, _encode(frozen))


def _read(path: Path) -> SavedContents | None:
    try:
        saved = _decode(path.read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None
    return saved if saved.version == _VERSION else None
