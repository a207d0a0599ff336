"""The floors: a file imports only from floors below its own; the maths knows no scikit-learn."""

import ast
from pathlib import Path

import pytest

import sknumpynet

PACKAGE = Path(sknumpynet.__file__).parent
FLOOR = {
    "version": 0,
    "activations": 0,
    "aligned": 0,
    "losses": 0,
    "optimizers": 1,
    "schedules": 0,
    "batches": 1,
    "blas": 0,
    "hashing": 0,
    "network": 1,
    "training": 2,
    "parameters": 3,
    "targets": 3,
    "weights": 3,
    "recipe": 2,
    "callbacks": 3,
    "monitor": 3,
    "datasets": 3,
    "preprocessing": 3,
    "descent": 4,
    "scout": 5,
    "classifier": 6,
    "__init__": 7,
}
MATHS_MAY_IMPORT = {
    "numpy",
    "scipy",
    "math",
    "itertools",
    "copy",
    "dataclasses",
    "sknumpynet",
    "contextlib",
    "functools",
    "pathlib",
    "threading",
    "threadpoolctl",
}
MOST_LINES = {"classifier": 600, "activations": 220}  # the latter: nine classes side by side
FILES = sorted(PACKAGE.glob("*.py"))


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative import"
            yield node.module


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_imports_only_from_lower_floors(path):
    floor = FLOOR[path.stem]
    for module in imported(path):
        top, _, name = module.partition(".")
        if top == "sknumpynet":
            assert FLOOR[name] < floor, f"{path.name} imports {module}"
        if floor <= 2:
            assert top in MATHS_MAY_IMPORT, f"{path.name} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_files_stay_small(path):
    assert len(path.read_text().splitlines()) <= MOST_LINES.get(path.stem, 200)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_functions_stay_short_and_take_few_arguments(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name != "__init__":
            arguments = [a.arg for a in (*node.args.args, *node.args.kwonlyargs)]
            assert len([a for a in arguments if a != "self"]) <= 7, f"{path.name}: {node.name}"
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 45, f"{path.name}: {node.name} has {lines} lines"


def test_the_maths_never_prints():
    for path in FILES:
        if FLOOR[path.stem] <= 2:
            calls = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
            assert "print" not in {getattr(call.func, "id", None) for call in calls}
