"""The types of the public names: the stubs say what the code does, and mypy uses them."""

import ast
import inspect
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from mypy import api

import sknumpynet
from sknumpynet import datasets

USER = """
from typing import Any
import numpy as np
from numpy.typing import NDArray
from sknumpynet import Checkpoint, NumericalEncoder, NumpyMLPClassifier, TrainingCurveDisplay
from sknumpynet import WeightsDisplay
from sknumpynet.dask import DaskNumericalEncoder, DaskNumpyMLPClassifier
from sknumpynet.datasets import fetch_mnist
from sknumpynet.onnx import register

X, y = fetch_mnist(subset="test", return_X_y=True)
model = NumpyMLPClassifier((64, 32), effort=0.5, class_weight="balanced", random_state=0)
model = model.set_callbacks(Checkpoint("checkpoints", every_seconds=10)).fit(X, y, X_val=X, y_val=y)
model = NumpyMLPClassifier(64).set_params(alpha=0.1).partial_fit([[0.0]], ["a"], classes=["a", "b"])
probabilities: NDArray[np.float64] = model.predict_proba(X)
losses: list[float] = model.loss_curve_
accuracy: float = model.score(X, y)
first: NDArray[Any] = model.coefs_[0]
table = NumericalEncoder(n_bins=8).fit(X).get_feature_names_out()
TrainingCurveDisplay.from_estimator(model, x="seconds").plot()
WeightsDisplay.from_estimator(model, image_shape=(28, 28))
register()
encoder = DaskNumericalEncoder(n_rows=1000).fit(X)
plain: NumpyMLPClassifier = DaskNumpyMLPClassifier(64, mode="averaging").fit(X, y).to_local()
"""
WRONG = {
    'NumpyMLPClassifier(preset="tune")': "preset",
    'NumpyMLPClassifier(effort="long")': "effort",
    "NumpyMLPClassifier(hidden_layers=3)": "hidden_layers",
    "NumpyMLPClassifier().fit(X)": '"y"',
    'DaskNumpyMLPClassifier(mode="mean")': "mode",
    'WeightsDisplay.from_estimator(model, image_shape="square")': "image_shape",
}


@pytest.fixture(scope="module")
def errors(tmp_path_factory):
    """The lines that mypy prints for a file of a user's, by the number of the line."""
    directory = tmp_path_factory.mktemp("typing")
    path = directory / "user.py"
    path.write_text("\n".join([USER.strip(), *WRONG]) + "\n")
    out, problem, _ = api.run(["--strict", "--cache-dir", str(directory / "cache"), str(path)])
    assert problem == ""
    lines = [line for line in out.splitlines() if ": error: " in line]
    return {int(line.partition("user.py:")[2].partition(":")[0]): line for line in lines}


def test_mypy_accepts_a_users_file(errors):
    n_lines = len(USER.strip().splitlines())
    assert [text for line, text in errors.items() if line <= n_lines] == []


@pytest.mark.parametrize("wrong", WRONG)
def test_mypy_refuses_what_is_wrong(errors, wrong):
    line = len(USER.strip().splitlines()) + 1 + list(WRONG).index(wrong)
    assert WRONG[wrong] in errors[line]


def stubs():
    """Return a pair for each function and method of the stubs: the code's and the stub's."""
    pairs, needs = {}, {"sknumpynet.dask": "distributed", "sknumpynet.onnx": "skl2onnx"}
    extras = [import_module(name) for name, other in needs.items() if find_spec(other)]
    for module in (sknumpynet, datasets, *extras):
        tree = ast.parse(Path(module.__file__).with_suffix(".pyi").read_text())
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                pairs[node.name] = getattr(module, node.name), node
            for method in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(method, ast.FunctionDef):
                    name = f"{node.name}.{method.name}"
                    pairs[name] = getattr(getattr(module, node.name), method.name), method
    return pairs


STUBS = stubs()


@pytest.mark.parametrize("name", STUBS)
def test_a_stub_has_the_parameters_of_the_code(name):
    function, node = STUBS[name]
    found = inspect.signature(function).parameters.values()
    expected = [p.arg for p in node.args.args if p.arg != "cls"]
    assert [p.name for p in found if p.kind is p.POSITIONAL_OR_KEYWORD] == expected
    keywords = [p.arg for p in node.args.kwonlyargs]
    assert [p.name for p in found if p.kind is p.KEYWORD_ONLY] == keywords
    given = [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
    defaults = [p.default for p in found if p.default is not p.empty]
    assert [ast.literal_eval(default) for default in given] == defaults


@pytest.mark.parametrize("name", [n for n in sknumpynet.__all__ if n != "__version__"])
def test_every_public_name_and_method_has_a_stub(name):
    stubbed = {pair.partition(".")[2] for pair in STUBS if pair.startswith(f"{name}.")}
    methods = [n for n, m in vars(getattr(sknumpynet, name)).items() if inspect.isroutine(m)]
    assert {n for n in methods if not n.startswith(("_", "set_"))} <= stubbed
