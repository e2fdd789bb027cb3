"""The snapshots at one URL: which there are, what their manifests say, which files are there. Blocking."""

import re
from pathlib import Path

import msgspec

from schemas.settings import Settings, SnapshotSettings
from schemas.snapshots import SnapshotFile, SnapshotManifest
from streams.errors import SettingsError, SnapshotError
from streams.snapshots.manifest import ManifestName, name_of, seal, unseal
from streams.snapshots.storage import UNFINISHED, Entry, Storage

MIN_KEY_BYTES = 16
_PARTITION = re.compile(r"^\d{5}\Z")


class Shelf(msgspec.Struct, frozen=True):
    """Where the snapshots of one stage partition are."""

    stage: str
    partition: int

    def __str__(self) -> str:
        return f"{self.stage}/{self.partition}"

    @property
    def place(self) -> dict[str, str | int]:
        """What a line of the log says of it, as the `extra` of its record."""
        return {"stage": self.stage, "partition": self.partition}

    @property
    def manifests(self) -> str:
        """Folder of its manifests."""
        return f"{self.stage}/{self.partition:05d}/manifests"

    @property
    def files(self) -> str:
        """Folder of its files."""
        return f"{self.stage}/{self.partition:05d}/files"


class Library:
    """Reads and writes snapshots; what to take, to choose and to drop is decided elsewhere.

    Parameters
    ----------
    storage : Storage
        Where they are.
    key : bytes, optional
        Signs new manifests; then a manifest without this signature is refused.
    """

    def __init__(self, storage: Storage, key: bytes | None = None) -> None:
        self.storage, self._key = storage, key

    def shelves(self) -> list[Shelf]:
        """Every stage partition that has anything here, sorted."""
        found = [
            Shelf(stage, int(partition))
            for stage in self.storage.folders("")
            for partition in self.storage.folders(stage)
            if _PARTITION.match(partition)
        ]
        return sorted(found, key=lambda shelf: (shelf.stage, shelf.partition))

    def names(self, shelf: Shelf) -> list[ManifestName]:
        """The manifests of a stage partition, the newest, by (epoch, offset), first."""
        parsed = (ManifestName.parse(name) for name in self.storage.files(shelf.manifests))
        return sorted((name for name in parsed if name is not None), reverse=True)

    def unfinished(self, shelf: Shelf) -> dict[str, Entry]:
        """What a crash left of manifests that were being written, by name; a young one may become one yet."""
        found = self.storage.files(shelf.manifests)
        return {name: entry for name, entry in found.items() if name.startswith(UNFINISHED)}

    def delete_unfinished(self, shelf: Shelf, name: str) -> None:
        """Delete what a crash left."""
        self.storage.delete(f"{shelf.manifests}/{name}")

    def read(self, shelf: Shelf, name: ManifestName) -> tuple[SnapshotManifest, bool]:
        """What a manifest says, and whether it bears a signature.

        Raises
        ------
        SnapshotError
            It is damaged, not signed as it has to be, or stands under a name or on a shelf of another.
        """
        manifest, signed = unseal(self.storage.read(f"{shelf.manifests}/{name}"), self._key)
        origin = manifest.origin
        says = (manifest.stage, manifest.partition, manifest.epoch)
        if name_of(manifest) != name or says != (shelf.stage, shelf.partition, origin.epoch):
            raise SnapshotError("it says that it is another snapshot than its name and place do")
        if (origin.stage, origin.partition) != (shelf.stage, shelf.partition):
            raise SnapshotError("its store is of another stage or partition than its place")
        return manifest, signed

    def files(self, shelf: Shelf) -> dict[str, Entry]:
        """The files of a stage partition, by digest; others may be among them."""
        return self.storage.files(shelf.files)

    def put(self, shelf: Shelf, file: SnapshotFile, source: Path) -> None:
        """Copy a file here."""
        self.storage.put(source, f"{shelf.files}/{file.sha256}")

    def get(self, shelf: Shelf, file: SnapshotFile, target: Path) -> None:
        """Copy a file from here; its content is not checked."""
        self.storage.get(f"{shelf.files}/{file.sha256}", target)

    def add(self, shelf: Shelf, manifest: SnapshotManifest) -> bool:
        """Make a snapshot exist, all its files being there; False if there is one of its name."""
        name = name_of(manifest)
        return self.storage.create(f"{shelf.manifests}/{name}", seal(manifest, self._key))

    def remove(self, shelf: Shelf, name: ManifestName) -> None:
        """Let a snapshot exist no more; its files stay."""
        self.storage.delete(f"{shelf.manifests}/{name}")

    def delete_file(self, shelf: Shelf, digest: str) -> None:
        """Delete a file."""
        self.storage.delete(f"{shelf.files}/{digest}")


def missing(manifest: SnapshotManifest, present: dict[str, Entry]) -> list[SnapshotFile]:
    """Files of a snapshot that are not there, or not with their size."""
    return [
        file
        for file in manifest.files
        if file.sha256 not in present or present[file.sha256].bytes != file.bytes
    ]


def url_of(settings: Settings) -> str:
    """Where commands look for snapshots: `snapshot.url`, else the folder `snapshots` beside state.dir."""
    return settings.snapshot.url or str(Path(settings.state.dir).resolve().parent / "snapshots")


def absolute(url: str) -> str:
    """A URL that says the same in every folder: a plain path is made absolute.

    Examples
    --------
    >>> absolute("s3://bucket/snapshots"), absolute("/var/snapshots")
    ('s3://bucket/snapshots', '/var/snapshots')
    """
    return url if "://" in url else str(Path(url).absolute())


def open_library(settings: Settings, url: str | None = None) -> Library:
    """The library that the settings name, or that at another URL.

    Raises
    ------
    SettingsError
        The URL or the key cannot be used.
    """
    return Library(Storage(url or url_of(settings)), signing_key(settings.snapshot))


def signing_key(settings: SnapshotSettings) -> bytes | None:
    """The key that manifests are signed with; None without a file of one.

    Raises
    ------
    SettingsError
        The file cannot be read, or the key in it is too short.
    """
    if not settings.signing_key_file:
        return None
    try:
        key = Path(settings.signing_key_file).read_bytes().strip()
    except OSError as error:
        raise SettingsError(
            f"snapshot.signing_key_file cannot be read: {error}. Name a file that holds the key"
        ) from error
    if len(key) < MIN_KEY_BYTES:
        raise SettingsError(
            f"the key in snapshot.signing_key_file has {len(key)} bytes, expected at least {MIN_KEY_BYTES}: "
            f"make one with `openssl rand -hex 32`"
        )
    return key
