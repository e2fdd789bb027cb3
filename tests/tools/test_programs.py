"""What is on PATH is taken; what can be had nowhere is told with what to do."""

from pathlib import Path

import pytest

from tests.tools import debian, go, npm
from tests.tools.debian import NotHadError


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without programs and with an empty cache; its PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.mark.parametrize("name", ["promtool", "helm"])
def test_a_program_that_is_installed_is_taken(nowhere: Path, name: str) -> None:
    installed = nowhere / name
    installed.write_text("#!/bin/sh\n")
    installed.chmod(0o755)
    found = {
        "promtool": lambda: debian.program("prometheus", "promtool"),
        "helm": lambda: go.program("helm.sh/helm/v3/cmd/helm", "v3.19.5"),
    }
    assert found[name]() == installed


@pytest.mark.usefixtures("nowhere")
def test_without_apt_it_is_said_what_to_install() -> None:
    with pytest.raises(
        NotHadError, match=r"prometheus is not unpacked here.*apt-get and dpkg-deb.*install prometheus"
    ):
        debian.program("prometheus", "promtool")


@pytest.mark.usefixtures("nowhere")
def test_without_go_it_is_said_what_to_install() -> None:
    with pytest.raises(NotHadError, match=r"helm@v3.19.5 is needed, and Go is not here"):
        go.program("helm.sh/helm/v3/cmd/helm", "v3.19.5")


def test_a_program_that_was_unpacked_before_is_taken_again(nowhere: Path) -> None:
    unpacked = nowhere / "cache" / "freshrec" / "debian" / "prometheus" / "usr" / "bin" / "promtool"
    unpacked.parent.mkdir(parents=True)
    unpacked.write_text("")
    assert debian.program("prometheus", "promtool") == unpacked


@pytest.mark.usefixtures("nowhere")
def test_without_npm_it_is_said_what_to_install() -> None:
    with pytest.raises(NotHadError, match=r"axe-core@4\.14\.1 is needed, and npm is not here.*install Node"):
        npm.packed("axe-core", "4.14.1", "axe.min.js", sha256="0" * 64)


def test_a_file_of_another_sum_is_not_taken(nowhere: Path) -> None:
    known = nowhere / "cache" / "freshrec" / "npm" / "axe-core-1" / "axe.min.js"
    known.parent.mkdir(parents=True)
    known.write_bytes(b"x")
    right = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    assert npm.packed("axe-core", "1", "axe.min.js", sha256=right) == known
    with pytest.raises(NotHadError, match="is not the file that is expected; remove it"):
        npm.packed("axe-core", "1", "axe.min.js", sha256="0" * 64)


def test_libraries_of_an_unpacked_package_are_found_beside_it(nowhere: Path) -> None:
    folder = nowhere / "cache" / "freshrec" / "debian" / "browser" / "usr" / "lib" / "x"
    (folder / "deep").mkdir(parents=True)
    for place in (folder / "liba.so.1", folder / "deep" / "libb.so", folder / "readme"):
        place.write_text("")
    assert debian.library_path("browser") == f"{folder}:{folder / 'deep'}"
