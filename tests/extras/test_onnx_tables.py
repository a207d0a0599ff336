"""A converted TabularEncoder: strings in, probabilities out."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from sknumpynet import NumpyMLPClassifier, TabularEncoder

ort = pytest.importorskip("onnxruntime")
skl2onnx = pytest.importorskip("skl2onnx")

from skl2onnx.common.data_types import (  # noqa: E402
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
)

from sknumpynet import onnx  # noqa: E402

rng = np.random.RandomState(0)
N = 400
TABLE = pd.DataFrame(
    {
        "amount": rng.lognormal(size=N),
        "group": rng.choice(["a", "b", "c"], N),
        "shop": [f"shop {k}" for k in rng.randint(0, 60, N)],
        "floor": rng.randint(-1, 4, N),
        "member": rng.rand(N) < 0.5,
    }
)
CATEGORIES = ["floor", "member"]
Y = np.where(TABLE["group"] == "a", "yes", "no")


@pytest.fixture(scope="module", autouse=True)
def _registered():
    onnx.register()


def run(model, table, fit_table, **options):
    """Convert a model of a data frame, and return what onnxruntime computes for another one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of skl2onnx and onnx, about NumPy's and their own API
        graph = skl2onnx.to_onnx(model, fit_table[:1], options=options or None)
    session = ort.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    inputs = {name: table[name].to_numpy()[:, None] for name in table}
    return session.run(None, inputs)


@pytest.mark.parametrize("y", [None, Y, rng.randn(N)], ids=["no y", "classes", "numbers"])
def test_the_graph_encodes_as_the_encoder_does(y):
    encoder = TabularEncoder(CATEGORIES).fit(TABLE, y)
    new = TABLE.assign(shop="shop x", floor=99)
    for table in (TABLE, new):
        (result,) = run(encoder, table, TABLE)
        assert np.allclose(result, encoder.transform(table), atol=1e-6)


def test_a_pipeline_takes_strings_and_gives_probabilities():
    model = make_pipeline(
        TabularEncoder(CATEGORIES), NumpyMLPClassifier(effort=0.2, random_state=0)
    )
    model.fit(TABLE, Y)
    labels, proba = run(model, TABLE, TABLE, zipmap=False)
    assert np.array_equal(labels, model.predict(TABLE))
    assert np.abs(proba - model.predict_proba(TABLE)).max() < 1e-5


def test_numbers_that_are_codes_are_looked_up_as_the_encoder_does():
    amount = rng.randint(0, 60, 2000)
    X, y = pd.DataFrame({"amount": np.where(amount == 59, np.nan, amount)}), amount % 7 == 0
    encoder = TabularEncoder().fit(X, y)
    assert encoder.kinds_ == ["code"]
    new = pd.DataFrame({"amount": [*range(60), 3.5, np.nan, 1e30, -1.0]})
    for dtype in (np.float32, np.float64):
        (result,) = run(encoder, new.astype(dtype), X.astype(dtype))
        assert np.allclose(result, encoder.transform(new.astype(dtype)), atol=1e-6)


def test_an_empty_string_is_a_missing_value():
    holes = TABLE[["group", "shop"]].copy()
    holes.loc[::7, "group"] = None
    encoder = TabularEncoder().fit(holes, Y)
    (result,) = run(encoder, holes.fillna(""), TABLE[["group", "shop"]])
    assert np.allclose(result, encoder.transform(holes), atol=1e-6)


def test_what_cannot_be_converted_is_refused():
    days = TABLE.assign(when=pd.Timestamp("2020-01-01"))[["amount", "when"]]
    encoder = TabularEncoder().fit(days)
    types = [("amount", DoubleTensorType([None, 1])), ("when", FloatTensorType([None, 1]))]
    with pytest.raises(NotImplementedError, match=r"Column 1 has dates"):
        skl2onnx.convert_sklearn(encoder, initial_types=types)
    encoder = TabularEncoder().fit(TABLE[["member"]])
    with pytest.raises(NotImplementedError, match=r"levels \['False', 'True'\].*BooleanTensorType"):
        skl2onnx.convert_sklearn(encoder, initial_types=[("member", Int64TensorType([None, 1]))])
    encoder = TabularEncoder(["amount"]).fit(TABLE[["amount", "floor"]])
    with pytest.raises(NotImplementedError, match=r"Column 0 has categories.*DoubleTensorType"):
        skl2onnx.to_onnx(encoder, TABLE[["amount", "floor"]][:1])
    with pytest.raises(ValueError, match=r"has seen 2 columns in fit, and the inputs have 1"):
        skl2onnx.convert_sklearn(encoder, initial_types=types[:1])


def test_a_column_of_one_level_is_left_out():
    constant = TABLE[["group", "shop"]].assign(group="a")
    encoder = TabularEncoder().fit(constant, Y)
    (result,) = run(encoder, constant, constant)
    assert np.allclose(result, encoder.transform(constant), atol=1e-6)
