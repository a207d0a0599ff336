"""Who imports whom, and how large files and functions are."""

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import sknumpynet

ROOT = Path(sknumpynet.__file__).parents[1]
PATHS = sorted(ROOT.glob("sknumpynet/**/*.py"))
FILES = {".".join(p.relative_to(ROOT).with_suffix("").parts): p.read_text() for p in PATHS}
FILES = {name.removesuffix(".__init__"): text for name, text in FILES.items()}
NODES = {name: list(ast.walk(ast.parse(text))) for name, text in FILES.items()}
CORE = [name for name in FILES if name.startswith("sknumpynet.core")]
MOST_LINES = {
    "sknumpynet.classifier": 550,  # more than half are docstrings for users
    "sknumpynet.core.activations": 240,  # nine small classes of the same shape
    "sknumpynet.core.network": 265,  # the legend, forward and backward are read together
    "sknumpynet.core.training": 260,  # an epoch and what ends it are read together
    "sknumpynet.dask.network": 215,  # a third are docstrings for users
    "sknumpynet.data.numbers": 295,  # all that is known of numbers as targets
    "sknumpynet.data.classes": 320,  # all that is known of classes
    "sknumpynet.display": 300,  # more than half are docstrings for users
    "sknumpynet.fit.pilot": 305,  # two kinds of pilot runs are read together
    "sknumpynet.onnx.graphs": 205,  # the formulas of networks and encoder, one after the other
    "sknumpynet.onnx.wrappers": 210,  # the wrappers that are converted, and those that are refused
    "sknumpynet.regressor": 400,  # most are docstrings for users
    "sknumpynet.preprocessing.columns": 265,  # all that differs between libraries of data frames
    "sknumpynet.preprocessing.numerical": 315,  # half of it is docstrings
    "sknumpynet.preprocessing.tabular": 360,  # half of it is docstrings
    "sknumpynet.settings.parameters": 225,  # a row for each parameter
    "sknumpynet.settings.presets": 250,  # the table, its rules, how they are applied
}


def imported(name):
    """Return the modules that a module imports, anywhere in its file."""
    found = {a.name for node in NODES[name] if isinstance(node, ast.Import) for a in node.names}
    for node in NODES[name]:
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            found |= {f"{node.module}.{a.name}" for a in node.names} & FILES.keys() or {node.module}
    return found


def room(name):
    """Return the folder or the file at the top of the package that a module belongs to."""
    return ".".join(name.split(".")[:2])


@pytest.mark.parametrize("name", CORE)
def test_core_imports_nothing_above_it_and_never_prints(name):
    allowed = {*sys.stdlib_module_names, "numpy", "scipy", "threadpoolctl"}
    assert {m for m in imported(name) if m.partition(".")[0] not in allowed} <= set(CORE)
    assert "print" not in {getattr(node, "id", None) for node in NODES[name]}


def test_no_module_and_no_room_imports_what_is_above_it():
    graph = {name: imported(name) & FILES.keys() for name in FILES}
    TopologicalSorter(graph).prepare()
    rooms = {room(name): set() for name in FILES}
    for name, others in graph.items():
        rooms[room(name)] |= {room(other) for other in others} - {room(name)}
    TopologicalSorter(rooms).prepare()
    assert len(rooms) <= 1 + 14  # the package itself, and what lies in it


@pytest.mark.parametrize("name", FILES)
def test_files_and_functions_are_short_and_take_few_arguments(name):
    assert FILES[name].count("\n") <= MOST_LINES.get(name, 200)
    for node in NODES[name]:
        if isinstance(node, ast.FunctionDef) and node.name != "__init__":
            body = [*node.body[ast.get_docstring(node) is not None :]] or node.body
            assert body[-1].end_lineno - body[0].lineno < 40, node.name
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            n_own = len([a for a in arguments if a.arg not in ("self", "cls")])
            assert n_own <= 7 or node.name in ("fit", "partial_fit"), node.name
