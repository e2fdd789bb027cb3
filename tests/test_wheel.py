"""The wheel holds all of the project and works outside the checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("schemas", "online_models", "streams")


def call(*arguments: str | Path, cwd: Path) -> str:
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FRESHREC_"))
    }
    done = subprocess.run(arguments, cwd=cwd, env=clean, capture_output=True, text=True, check=False)  # noqa: S603  # a command of our own
    assert done.returncode == 0, (
        f"{arguments} in {cwd} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    )
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    call(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", "dist", ".", cwd=folder)
    (built,) = (folder / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel; what it depends on is borrowed from the one that runs this test."""
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder / "env", with_pip=False)
    bin_folder = folder / "env" / "bin"
    install = ("install", "--quiet", "--no-deps", wheel)
    call(sys.executable, "-m", "pip", "--python", bin_folder / "python", *install, cwd=folder)
    (site_packages,) = (folder / "env" / "lib").glob("python*/site-packages")
    (site_packages / "borrowed.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return bin_folder


def test_the_wheel_holds_every_module_and_nothing_else_of_the_project(wheel: Path) -> None:
    source = wheel.parents[1]
    expected = {
        str(path.relative_to(source))
        for package in PACKAGES
        for path in (source / package).rglob("*")
        if path.is_file()
    }
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == expected


def test_the_packages_come_from_the_wheel_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    code = "import schemas as a, online_models as b, streams as c; print(a.__file__, b.__file__, c.__file__)"
    printed = call(installed / "python", "-c", code, cwd=tmp_path)
    assert all(Path(place).is_relative_to(installed.parent) for place in printed.split())
    assert len(printed.split()) == 3


def test_the_command_works_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert call(installed / "freshrec", "--version", cwd=tmp_path) == f"freshrec {version}\n"
    assert "metrics.port" in call(installed / "freshrec", "config", "--json", cwd=tmp_path)
