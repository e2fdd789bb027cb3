"""Nothing that comes from a topic, a bucket or a file can run as code: no pickle, no eval, in any package."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("schemas", "online_models", "streams", "benchmarks")
MODULES = {
    *("pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "jsonpickle"),
    *("yaml", "dbm", "code", "codeop"),
}
"""Modules that turn bytes into code, or keep what does."""

CALLS = {"eval", "exec", "compile", "execfile"}
METHODS = {"read_pickle", "to_pickle", "allow_pickle"}


def dangers(source: str) -> Iterator[str]:
    """Imports, calls and arguments by which data could become code."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name.split(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            yield str(node.module)
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in CALLS or name.split(".")[-1] in METHODS:
                yield name
            yield from _arguments(node)


def _arguments(call: ast.Call) -> Iterator[str]:
    for keyword in call.keywords:
        said = isinstance(keyword.value, ast.Constant) and not keyword.value.value
        if (keyword.arg in METHODS or keyword.arg == "shell") and not said:
            yield f"{keyword.arg}="


@pytest.mark.parametrize("package", PACKAGES)
def test_no_package_can_turn_data_into_code(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    found = {str(path.relative_to(ROOT)): list(dangers(path.read_text())) for path in files}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("import pickle", ["pickle"]),
        ("from marshal import loads", ["marshal"]),
        ("import os, shelve", ["shelve"]),
        ("from yaml import load", ["yaml"]),
        ("eval('1')", ["eval"]),
        ("exec(text)", ["exec"]),
        ("numpy.load(path, allow_pickle=True)", ["allow_pickle="]),
        ("pandas.read_pickle(path)", ["pandas.read_pickle"]),
        ("subprocess.run(command, shell=True)", ["shell="]),
        ("numpy.load(path, allow_pickle=False); re.compile('a'); model.eval()", []),
    ],
)
def test_what_could_is_seen(source: str, seen: list[str]) -> None:
    assert list(dangers(source)) == seen
