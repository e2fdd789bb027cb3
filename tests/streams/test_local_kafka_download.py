import io
import socket
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from streams.errors import BrokerError
from streams.local_kafka_download import download_jars, remove_damaged

KAFKA = "org/apache/kafka/kafka_2.13/4.1.1/kafka_2.13-4.1.1"
LOGGING = "org/slf4j/slf4j-simple/1.7.36/slf4j-simple-1.7.36"
LIBRARY = "org/example/library/2.0/library-2.0"
NEEDS_LIBRARY = (
    "<dependencies><dependency><groupId>org.example</groupId><artifactId>library</artifactId>"
    "<version>2.0</version><scope>runtime</scope></dependency></dependencies>"
)


def _pom(path: str, extra: str = "") -> bytes:
    group, artifact, version = path.rsplit("/", 3)[:3]
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        f"<groupId>{group.replace('/', '.')}</groupId><artifactId>{artifact}</artifactId>"
        f"<version>{version}</version>{extra}</project>\n"
    ).encode()


def _jar() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("A.class", b"bytes" * 100)
    return content.getvalue()


class Repository(BaseHTTPRequestHandler):
    """A Maven repository of three artifacts; `cut` names files whose first answer stops half way."""

    files: ClassVar[dict[str, bytes]] = {
        **{f"/{path}.jar": _jar() for path in (KAFKA, LOGGING, LIBRARY)},
        f"/{KAFKA}.pom": _pom(KAFKA, NEEDS_LIBRARY),
        f"/{LOGGING}.pom": _pom(LOGGING),
        f"/{LIBRARY}.pom": _pom(LIBRARY),
    }
    cut: ClassVar[set[str]] = set()
    asked: ClassVar[Counter[str]] = Counter()

    def do_GET(self) -> None:
        content = self.files.get(self.path)
        self.asked[self.path] += 1
        if content is None:
            self.send_error(404)
            return
        half = self.path in self.cut and self.asked[self.path] == 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if half else content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def repository() -> Iterator[str]:
    Repository.cut.clear()
    Repository.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Repository) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _names(files: list[Path]) -> set[str]:
    return {path.name for path in files}


EXPECTED = {"kafka_2.13-4.1.1.jar", "slf4j-simple-1.7.36.jar", "library-2.0.jar"}


def test_the_broker_its_dependencies_and_its_logging_are_downloaded(repository: str, tmp_path: Path) -> None:
    told: list[str] = []

    files = download_jars(tmp_path, {"central": repository}, told.append)

    assert _names(files) == EXPECTED
    assert all(path.is_relative_to(tmp_path) and zipfile.is_zipfile(path) for path in files)
    assert told[-1] == "Kafka 4.1.1: 3 of 3 jars"


def test_what_is_there_is_not_fetched_again(repository: str, tmp_path: Path) -> None:
    download_jars(tmp_path, {"central": repository}, lambda _: None)
    Repository.asked.clear()

    assert _names(download_jars(tmp_path, {"central": repository}, lambda _: None)) == EXPECTED
    assert not Repository.asked


@pytest.mark.parametrize("path", [f"/{LIBRARY}.jar", f"/{KAFKA}.pom"])
def test_an_answer_that_breaks_off_is_fetched_again(repository: str, tmp_path: Path, path: str) -> None:
    Repository.cut.add(path)
    told: list[str] = []

    files = download_jars(tmp_path, {"central": repository}, told.append, pause_s=0.0)

    assert _names(files) == EXPECTED
    assert Repository.asked[path] == 2
    assert any("attempt 2 of 3" in message for message in told)
    assert all(zipfile.is_zipfile(file) for file in files)


def test_the_remains_of_a_killed_download_are_replaced(repository: str, tmp_path: Path) -> None:
    for path, content in ((f"{LIBRARY}.jar", _jar()), (f"{LOGGING}.pom", _pom(LOGGING))):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_bytes(content[: len(content) // 2])

    files = download_jars(tmp_path, {"central": repository}, lambda _: None)

    assert _names(files) == EXPECTED
    assert all(zipfile.is_zipfile(file) for file in files)


def test_whole_files_are_not_taken_for_damaged(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole.jar", tmp_path / "broken.jar"
    whole.write_bytes(_jar())
    broken.write_bytes(_jar().replace(b"bytes", b"bites", 1))

    remove_damaged(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["whole.jar"]


def test_a_repository_that_cannot_be_reached_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(BrokerError) as caught:
            download_jars(tmp_path, {"central": url}, lambda _: None, pause_s=0.0)

    message = str(caught.value)
    assert f"could not be downloaded from {url} in 3 attempts" in message
    assert str(tmp_path) in message
    assert "run the command again" in message
