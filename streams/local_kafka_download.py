"""Downloads the jars of a Kafka broker from a Maven repository, in Python alone.

A download may be cut at any moment: files that are not whole are removed and fetched again. Which files make
up the class path afterwards is kept by `streams.local_kafka_jars`.
"""

import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext, PythonResolver
from jgo.parse import Coordinate

from streams.errors import BrokerError

KAFKA_VERSION = "4.1.1"
# Kafka brings the logging interface only; without a binding a broker that cannot start would say nothing.
_COORDINATES = (("org.apache.kafka", "kafka_2.13", KAFKA_VERSION), ("org.slf4j", "slf4j-simple", "1.7.36"))
_ATTEMPTS = 3
_PARALLEL = 4
_TIMEOUT_S = 30


def configured_repositories() -> dict[str, str]:
    """Return the Maven repositories to ask, name to URL: those of the user's jgo.conf, then Maven Central."""
    configured = GlobalSettings.load().repositories
    return {**configured, "central": configured.get("central", MAVEN_CENTRAL_URL)}


def download_jars(
    target: Path, repositories: dict[str, str], on_progress: Callable[[str], None], pause_s: float = 2.0
) -> list[Path]:
    """Resolve what the broker needs and download what is not there yet.

    Parameters
    ----------
    target
        Directory of the files, laid out as a Maven repository.
    repositories
        Name to URL, asked in this order.
    on_progress
        Told what is being done, some ten times in all.
    pause_s
        Pause before the second attempt; the third waits twice as long.

    Returns
    -------
    list of Path
        Every jar of the class path.

    Raises
    ------
    BrokerError
        No attempt succeeded.
    """
    attempt = 1
    while True:
        try:
            return _fetch(target, repositories, on_progress)
        # jgo raises whatever its parsers and its HTTP client raise; any of it means "not downloaded".
        except Exception as error:
            if attempt == _ATTEMPTS:
                raise BrokerError(_failure(target, repositories, error)) from error
            on_progress(f"download failed ({_short(error)}); attempt {attempt + 1} of {_ATTEMPTS}")
        time.sleep(pause_s * attempt)
        attempt += 1


def remove_damaged(repository: Path) -> None:
    """Delete jars and descriptions that an interrupted download left incomplete."""
    for path in (*repository.rglob("*.jar"), *repository.rglob("*.pom")):
        if not _is_whole(path):
            path.unlink()


def _is_whole(path: Path) -> bool:
    if path.suffix == ".pom":
        return path.read_bytes().rstrip().endswith(b"</project>")
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (zipfile.BadZipFile, EOFError):
        return False


def _fetch(target: Path, repositories: dict[str, str], on_progress: Callable[[str], None]) -> list[Path]:
    remove_damaged(target)
    context = MavenContext(
        resolver=PythonResolver(progress_callback=_count_descriptions(on_progress)),
        repo_cache=target,
        remote_repos=repositories,
        timeout=_TIMEOUT_S,
    )
    wanted = [
        context.create_dependency(Coordinate(group, artifact, version, scope="compile"))
        for group, artifact, version in _COORDINATES
    ]
    inputs, needed = context.resolver.resolve(wanted)
    artifacts = [d.artifact for d in (*inputs, *needed) if d.scope in ("compile", "runtime")]
    return _download_all([artifact.resolve for artifact in artifacts], on_progress)


def _count_descriptions(
    on_progress: Callable[[str], None],
) -> Callable[[str, int], AbstractContextManager[Callable[[int], None]]]:
    seen = 0

    @contextmanager
    def counted(name: str, _size_bytes: int) -> Iterator[Callable[[int], None]]:
        nonlocal seen
        if name.endswith(".pom"):
            if seen % 20 == 0:
                on_progress(f"Kafka {KAFKA_VERSION}: resolving dependencies ({seen} read)")
            seen += 1
        yield lambda _bytes: None

    return counted


def _download_all(downloads: list[Callable[[], Path]], on_progress: Callable[[str], None]) -> list[Path]:
    with ThreadPoolExecutor(_PARALLEL) as pool:
        futures = [pool.submit(download) for download in downloads]
        try:
            for done, future in enumerate(as_completed(futures), start=1):
                future.result()
                if done % 10 == 0 or done == len(futures):
                    on_progress(f"Kafka {KAFKA_VERSION}: {done} of {len(futures)} jars")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    files = [future.result() for future in futures]
    for path in files:
        if not _is_whole(path):
            msg = f"{path.name} arrived incomplete"
            raise OSError(msg)
    return files


def _short(error: Exception) -> str:
    text = f"{type(error).__name__}: {error}"
    return text if len(text) <= 300 else f"{text[:300]}..."


def _failure(target: Path, repositories: dict[str, str], error: Exception) -> str:
    return (
        f"Kafka {KAFKA_VERSION} could not be downloaded from {', '.join(repositories.values())} "
        f"in {_ATTEMPTS} attempts; the last one ended with {_short(error)}. "
        f"What did arrive is kept in {target}. "
        "Check the network and its proxy (HTTPS_PROXY), or name a mirror under [repositories] in "
        "~/.config/jgo.conf as 'central = URL', then run the command again"
    )
