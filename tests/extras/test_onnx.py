"""A converted model gives the probabilities, labels and encodings of the original."""

import warnings

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_iris, make_classification
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from sknumpynet import NumericalEncoder, NumpyMLPClassifier
from sknumpynet.core.activations import ACTIVATIONS

ort = pytest.importorskip("onnxruntime")
skl2onnx = pytest.importorskip("skl2onnx")

from sknumpynet import onnx  # noqa: E402

LARGEST_DIFFERENCE = {np.float32: 1e-5, np.float64: 1e-12}


@pytest.fixture(scope="module", autouse=True)
def _registered():
    onnx.register()


def run(model, X):
    """Convert a model for X of this dtype, and return what onnxruntime computes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of skl2onnx and onnx, about NumPy's and their own API
        graph = skl2onnx.to_onnx(
            model, X[:1], options={"zipmap": False} if hasattr(model, "predict") else None
        )
    session = ort.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: X})


def assert_same(model, X):
    labels, proba = run(model, X)
    assert np.array_equal(labels, model.predict(X))
    assert proba.dtype == X.dtype
    assert np.abs(proba - model.predict_proba(X)).max() <= LARGEST_DIFFERENCE[X.dtype.type]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation(activation, dtype, digits):
    X, y = digits[0].astype(dtype), digits[1]
    settings = {"activation": activation, "dtype": np.dtype(dtype).name, "random_state": 0}
    assert_same(NumpyMLPClassifier((32, 16), max_iter=5, **settings).fit(X, y), X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("preset", ["tuned", "sklearn"])
@pytest.mark.parametrize("n_classes", [1, 2, 5])
def test_both_presets_and_any_number_of_classes(n_classes, preset, dtype):
    X, y = make_classification(
        600, n_informative=8, n_classes=max(2, n_classes), flip_y=0.1, random_state=0
    )
    y = y if n_classes > 1 else np.zeros_like(y)
    model = NumpyMLPClassifier(
        32, preset=preset, dtype=np.dtype(dtype).name, tol=1e-2, random_state=0
    )
    model.fit(X, y)
    if preset == "tuned" and n_classes > 1:
        assert model.temperature_ != 1
    assert_same(model, X.astype(dtype))


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_multilabel(smoothing, digits):
    X, y = digits
    Y = (y[:, None] % [2, 3, 5] == 0).astype(int)
    model = NumpyMLPClassifier(32, max_iter=10, label_smoothing=smoothing, random_state=0)
    assert_same(model.fit(X, Y), X.astype(np.float32))


@pytest.mark.parametrize(
    "labels", [["no", "yes"], ["a", "b", "cc"], [False, True], [-3, 10**12, 7]], ids=str
)
def test_labels_of_any_kind(labels):
    X, y = load_iris(return_X_y=True)
    keep = y < len(labels)
    X, y = X[keep], np.array(labels)[y[keep]]
    assert_same(NumpyMLPClassifier(8, max_iter=10, random_state=0).fit(X, y), X.astype(np.float32))


def test_float_labels_are_refused():
    X, y = load_iris(return_X_y=True)
    model = NumpyMLPClassifier(8, max_iter=2, random_state=0).fit(X, y + 0.0)
    with pytest.raises(
        ValueError, match=r"classes_ of dtype float64 cannot be converted: .* integers"
    ):
        run(model, X.astype(np.float32))


def table(n=1500):
    """Return features of all kinds, with missing values, outliers and gross errors.

    Two features are always there and differ from row to row, so that no two donors are equally far.
    """
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 8))
    X[:, 1] = rng.integers(2, size=n)
    X[:, 2] = rng.standard_cauchy(n)
    X[:, 3] = np.round(X[:, 3])
    X[:, 4] = 7.0
    X[:, 5] = np.exp(3 * X[:, 5]) + 1e4
    y = X[:, 0] + X[:, 1] > 0.5
    X[:, :6][rng.random((n, 6)) < 0.05] = np.nan
    X[:5, 0] = 1e30
    X[5:9, 2] = np.inf
    return X.astype(np.float32), y


@pytest.mark.parametrize("n_bins", [0, 8, "auto"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_encoder(n_bins, dtype):
    X, _ = table()
    X = X.astype(dtype)
    encoder = NumericalEncoder(n_bins).fit(X)
    (encoded,) = run(encoder, X)
    assert encoded.dtype == np.float32
    assert np.abs(encoded - encoder.transform(X)).max() < 1e-5


def test_the_encoder_without_missing_values():
    X = load_breast_cancer().data
    encoder = NumericalEncoder(6).fit(X)
    (encoded,) = run(encoder, X)
    assert np.abs(encoded - encoder.transform(X)).max() < 1e-6


def test_a_feature_that_is_always_missing_and_one_that_was_never_missing_before():
    X, _ = table()
    X[:, 3] = np.nan
    encoder = NumericalEncoder(0).fit(X)
    X[::7, 6] = np.nan
    X[::11, 3] = 2.0
    (encoded,) = run(encoder, X)
    assert np.abs(encoded - encoder.transform(X)).max() < 1e-5


def test_pipelines_and_column_transformers():
    X, y = table()
    network = NumpyMLPClassifier(32, max_iter=10, random_state=0)
    assert_same(make_pipeline(NumericalEncoder(), network).fit(X, y), X)
    parts = make_column_transformer(
        (NumericalEncoder(n_bins=0), [0, 2, 3, 5, 6, 7]),
        (MinMaxScaler(), [1, 4]),
        sparse_threshold=0,
    )
    X[:, 1] = np.nan_to_num(X[:, 1])
    X[:, 4] = 7
    assert_same(make_pipeline(parts, network).fit(X, y), X)


def test_a_wrong_temperature_would_be_noticed(digits):
    X, y = digits[0].astype(np.float32), digits[1]
    model = NumpyMLPClassifier(32, max_iter=10, random_state=0).fit(X, y)
    _, proba = run(model, X)
    model.temperature_ *= 1.01
    assert np.abs(proba - model.predict_proba(X)).max() > LARGEST_DIFFERENCE[np.float32]
