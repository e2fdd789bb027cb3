"""One real broker for all integration tests, and names that keep the tests' topics apart."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams import local_kafka


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data_dir = tmp_path_factory.mktemp("kafka")
    try:
        yield local_kafka.up(data_dir, 0)
    finally:
        local_kafka.down(data_dir)
        shutil.rmtree(data_dir, ignore_errors=True)


@pytest.fixture(scope="session")
def secure_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Data directory of a broker that encrypts, wants a login and allows nobody but the administrator."""
    data_dir = tmp_path_factory.mktemp("secure-kafka")
    try:
        local_kafka.up(data_dir, 0, secure=True)
        yield data_dir
    finally:
        local_kafka.down(data_dir)
        shutil.rmtree(data_dir, ignore_errors=True)


@pytest.fixture
def topic_prefix() -> str:
    return f"t{uuid.uuid4().hex[:12]}-"
