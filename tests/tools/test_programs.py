"""What is on PATH is taken; what can be had nowhere is told with what to do."""

from pathlib import Path

import pytest

from tests.tools import debian, go
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
