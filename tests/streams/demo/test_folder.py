"""The folder of a demo: gone at the end whatever happens, and never anybody else's."""

import signal
from pathlib import Path

import pytest

from streams.demo.folder import own_folder
from streams.errors import StateError


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def fill(folder: Path) -> None:
    (folder / "state" / "deep").mkdir(parents=True)
    (folder / "state" / "deep" / "row").write_text("x")


def test_a_temporary_folder_is_removed_with_all_that_is_in_it(temporary: Path) -> None:
    with own_folder(None, keep=False) as folder:
        assert folder.parent == temporary
        assert folder.name.startswith("freshrec-demo-")
        fill(folder)
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, StateError])
def test_it_is_removed_after_an_error_and_ctrl_c_too(temporary: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), own_folder(None, keep=False) as folder:
        fill(folder)
        raise error
    assert list(temporary.iterdir()) == []


def test_two_demos_at_once_have_a_folder_each(temporary: Path) -> None:
    with own_folder(None, keep=False) as one, own_folder(None, keep=False) as other:
        assert one != other
        assert {one, other} == set(temporary.iterdir())


def test_a_named_folder_is_made_and_removed_but_not_the_one_it_lies_in(tmp_path: Path) -> None:
    with own_folder(tmp_path / "some" / "where", keep=False) as folder:
        fill(folder)
    assert list(tmp_path.iterdir()) == [tmp_path / "some"]
    assert list((tmp_path / "some").iterdir()) == []


def test_an_empty_folder_will_do(tmp_path: Path) -> None:
    with own_folder(tmp_path, keep=True) as folder:
        assert folder == tmp_path.resolve()
    assert tmp_path.is_dir()


def test_what_is_kept_stays_also_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(StateError), own_folder(tmp_path / "mine", keep=True) as folder:
        fill(folder)
        raise StateError("something failed")
    assert (tmp_path / "mine" / "state" / "deep" / "row").read_text() == "x"


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path: Path) -> None:
    fill(tmp_path)
    with pytest.raises(StateError, match=r"isn't empty.*name one that is"), own_folder(tmp_path, keep=False):
        raise AssertionError("it was used")
    assert (tmp_path / "state" / "deep" / "row").read_text() == "x"


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_file_is_refused_and_left_alone(tmp_path: Path, below: str) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(StateError, match="cannot be used"), own_folder(file / below, keep=False):
        raise AssertionError("it was used")
    assert file.read_text() == "x"


def test_the_folder_is_found_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with own_folder(Path("~/demo"), keep=False) as folder:
        assert folder == (tmp_path / "demo").resolve()
        assert folder.is_absolute()


def test_signals_are_heard_again_afterwards(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with own_folder(tmp_path / "demo", keep=False):
        pass
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
