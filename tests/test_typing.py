"""The types of the public names, as mypy uses them on a file of a user's."""

import inspect
from typing import get_type_hints

import pytest
from mypy import api

import sknumpynet

USER = """
from typing import Any
import numpy as np
import sknumpynet.classifier
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
    'sknumpynet.classifier.NumpyMLPClassifier(preset="tune")': "preset",
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


@pytest.mark.parametrize("name", [n for n in sknumpynet.__all__ if n != "__version__"])
def test_public_methods_have_types(name):
    for attribute, member in vars(getattr(sknumpynet, name)).items():
        function = getattr(member, "__func__", member)
        if inspect.isfunction(function) and not attribute.startswith("_"):
            hints = get_type_hints(function)
            assert {*inspect.signature(function).parameters} - {"self", "cls"} < {*hints}, attribute
            assert "return" in hints, attribute
