"""A converted model gives the probabilities, labels and encodings of the original."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, make_classification
from sklearn.ensemble import (
    AdaBoostRegressor,
    BaggingRegressor,
    StackingRegressor,
    VotingRegressor,
)
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from sknumpynet import NumericalEncoder, NumpyMLPClassifier, NumpyMLPRegressor
from sknumpynet.core.activations import ACTIVATIONS
from sknumpynet.core.regression import NUMBER_LOSSES

ort = pytest.importorskip("onnxruntime")
skl2onnx = pytest.importorskip("skl2onnx")

from sknumpynet import onnx  # noqa: E402
from sknumpynet.onnx import graphs  # noqa: E402

LARGEST_DIFFERENCE = {np.float32: 1e-5, np.float64: 1e-12}


@pytest.fixture(scope="module", autouse=True)
def _registered():
    onnx.register()


def run(model, X, target_opset=None, **options):
    """Convert a model for X of this dtype, and return what onnxruntime computes."""
    if hasattr(model, "predict_proba"):
        options = {"zipmap": False, **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of skl2onnx and onnx, about NumPy's and their own API
        graph = skl2onnx.to_onnx(model, X[:1], options=options, target_opset=target_opset)
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


def assert_same_numbers(model, X, target):
    """Compare the predictions, which ONNX has in a column for each number."""
    (predicted,) = run(model.fit(X, target), X)
    expected = model.predict(X).reshape(len(X), -1)
    assert predicted.dtype == X.dtype
    assert predicted.shape == expected.shape
    tolerance = LARGEST_DIFFERENCE[np.float32]
    if X.dtype == np.float64 and model.get_params().get("dtype") == "float64":
        tolerance = LARGEST_DIFFERENCE[np.float64]
    assert np.abs(predicted - expected).max() <= tolerance * np.abs(expected).max()


NUMBERS = load_diabetes(return_X_y=True)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("preset", ["tuned", "sklearn"])
@pytest.mark.parametrize("loss", NUMBER_LOSSES)
def test_numbers(loss, preset, n_outputs, dtype):
    X, y = NUMBERS
    y = y / 50 if n_outputs == 1 else np.column_stack([y / 50, 500 - y])
    settings = {"dtype": np.dtype(dtype).name, "tol": 1e-2, "random_state": 0}
    model = NumpyMLPRegressor(loss, 16, preset=preset, effort=0.1, **settings)
    assert_same_numbers(model, X.astype(dtype), y)


def test_quantiles_stay_in_order():
    X, y = NUMBERS
    model = NumpyMLPRegressor("quantile", (), quantile=[0.4, 0.5, 0.6], effort=0.01, random_state=0)
    assert_same_numbers(model, X, y)
    model.intercepts_[0] = model.intercepts_[0][::-1].copy()  # the outputs cross
    assert (np.diff(X @ model.coefs_[0] + model.intercepts_[0], axis=1) < 0).any()
    (predicted,) = run(model, X)
    assert (np.diff(predicted, axis=1) >= 0).all()
    assert np.abs(predicted - model.predict(X)).max() < 1e-5 * np.abs(predicted).max()


REGRESSORS = {
    "pipeline": lambda m: make_pipeline(NumericalEncoder(), m),
    "search": lambda m: GridSearchCV(make_pipeline(StandardScaler(), m), {}, cv=2),
    "voting": lambda m: VotingRegressor([("a", m), ("b", LinearRegression())]),
    "bagging": lambda m: BaggingRegressor(m, 3, max_features=0.5, random_state=0),
    "stacking": lambda m: StackingRegressor([("a", m), ("b", Ridge())], m, passthrough=True),
    "boosting": lambda m: AdaBoostRegressor(m, n_estimators=3, random_state=0),
}


@pytest.mark.parametrize("wrap", REGRESSORS.values(), ids=REGRESSORS)
def test_wrappers_of_the_regressor_predict_as_scikit_learn_does(wrap):
    model = NumpyMLPRegressor(hidden_layer_sizes=8, effort=0.1, random_state=0)
    assert_same_numbers(wrap(model), *NUMBERS)


def test_several_outputs_of_wrappers():
    X, y = NUMBERS
    Y = np.column_stack([y, -y])
    model = NumpyMLPRegressor(hidden_layer_sizes=8, effort=0.1, random_state=0)
    assert_same_numbers(MultiOutputRegressor(make_pipeline(StandardScaler(), model)), X, Y)
    with pytest.raises(NotImplementedError, match="several outputs: use MultiOutputRegressor"):
        run(BaggingRegressor(model, 2).fit(X, Y), X)
    members = [("a", model), ("b", "drop"), ("c", Ridge())]
    voting = VotingRegressor(members, weights=np.array([1, 2, 3])).fit(X, y)
    with pytest.raises(NotImplementedError, match="weights of dropped estimators"):
        run(voting, X)


LABELS = {
    "str": np.array(["no", "yes"]),
    "object": np.array(["a", "b", "ccc"], object),
    "bool": np.array([False, True]),
    "int": np.array([-3, 10**12, 7]),
    "int8": np.array([-3, 2, 7], np.int8),
    "uint64": np.array([0, 1, 2**63 - 1], np.uint64),
}


@pytest.fixture(scope="module", params=LABELS)
def labelled(request):
    """Return a model with labels of some kind, and rows to predict."""
    X, y = load_iris(return_X_y=True)
    labels = LABELS[request.param]
    keep = y < len(labels)
    model = NumpyMLPClassifier(8, max_iter=10, random_state=0).fit(X[keep], labels[y[keep]])
    return model, X[keep].astype(np.float32)


def test_labels_of_any_kind(labelled):
    assert_same(*labelled)


@pytest.mark.parametrize("zipmap", [None, True, "columns"])
def test_probabilities_come_as_dicts_or_columns(zipmap, labelled):
    model, X = labelled
    options = {} if zipmap is None else {"zipmap": zipmap}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = skl2onnx.to_onnx(model, X[:1], options=options).SerializeToString()
    labels, *parts = ort.InferenceSession(graph).run(None, {"X": X})
    assert np.array_equal(labels, model.predict(X))
    if zipmap == "columns":
        proba = np.column_stack(parts)
    else:
        (dicts,) = parts
        assert set(dicts[0]) == set(model.classes_.tolist())
        proba = np.array([[row[label] for label in model.classes_.tolist()] for row in dicts])
    assert np.abs(proba - model.predict_proba(X)).max() < 1e-5


def test_the_classes_are_an_output(labelled):
    model, X = labelled
    labels, _, classes = run(model, X, output_class_labels=True)
    assert np.array_equal(classes, model.classes_)
    assert np.array_equal(labels, model.predict(X))


def test_labels_are_positions_in_the_classes(labelled):
    model, X = labelled
    positions, proba, classes = run(model, X, nocl=True, output_class_labels=True)
    assert np.array_equal(model.classes_[positions], model.predict(X))
    assert np.array_equal(classes, np.arange(len(model.classes_)))
    assert np.abs(proba - model.predict_proba(X)).max() < 1e-5


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_raw_scores_are_logits(n_classes, dtype):
    X, y = make_classification(300, n_informative=8, n_classes=n_classes, random_state=0)
    model = NumpyMLPClassifier(16, max_iter=10, dtype=np.dtype(dtype).name, random_state=0)
    labels, scores = run(model.fit(X, y), X.astype(dtype), raw_scores=True)
    logits = model.decision_function(X.astype(dtype))
    logits = np.column_stack([-logits, logits]) if n_classes == 2 else logits
    assert np.abs(scores - logits).max() < 10 * LARGEST_DIFFERENCE[dtype]
    assert np.array_equal(labels, model.predict(X.astype(dtype)))


def test_raw_scores_of_multilabel_targets(digits):
    X, y = digits[0].astype(np.float32), digits[1]
    Y = (y[:, None] % [2, 3] == 0).astype(int)
    model = NumpyMLPClassifier(16, max_iter=5, random_state=0).fit(X, Y)
    labels, scores = run(model, X, raw_scores=True)
    assert np.abs(scores - model.decision_function(X)).max() < 1e-4
    assert np.array_equal(labels, model.predict(X))


@pytest.mark.parametrize(
    "labels",
    [np.array([0.0, 1.0, 2.0]), np.array([0, 1, 2**63], np.uint64)],
    ids=["float64", "uint64"],
)
def test_other_labels_are_refused_but_for_their_positions(labels):
    X, y = load_iris(return_X_y=True)
    model, X = NumpyMLPClassifier(8, max_iter=2, random_state=0).fit(X, labels[y]), X.astype("f")
    with pytest.raises(ValueError, match=f"classes_ of dtype {labels.dtype}, up to .*'nocl': True"):
        run(model, X)
    positions, _ = run(model, X, nocl=True)
    assert np.array_equal(model.classes_[positions], model.predict(X))


def test_an_activation_without_a_formula_is_named(monkeypatch):
    monkeypatch.setitem(ACTIVATIONS, "softsign", ACTIVATIONS["tanh"])
    X, y = load_iris(return_X_y=True)
    model = NumpyMLPClassifier(8, activation="softsign", max_iter=5, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match=r"'softsign' .* sknumpynet\.onnx\.graphs\.ACTIVATIONS"):
        run(model, X)
    monkeypatch.setitem(graphs.ACTIVATIONS, "softsign", graphs.ACTIVATIONS["tanh"])
    assert_same(model, X.astype(np.float32))


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
    assert encoded.dtype == dtype
    assert np.abs(encoded - encoder.transform(X)).max() < 1e-5


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_data_frame_whose_columns_are_inputs_of_their_own(dtype):
    X, y = load_iris(return_X_y=True)
    frame = pd.DataFrame(X.astype(dtype), columns=list("abcd"))
    network = NumpyMLPClassifier(16, effort=0.1, random_state=0)
    for model in (NumericalEncoder(), network, make_pipeline(NumericalEncoder(), network)):
        model.fit(frame, y)
        options = {"zipmap": False} if hasattr(model, "predict") else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            graph = skl2onnx.to_onnx(model, frame[:1], options=options)
        session = ort.InferenceSession(graph.SerializeToString())
        results = session.run(None, {name: frame[[name]].to_numpy() for name in frame})
        expected = (
            model.predict_proba(frame) if hasattr(model, "predict") else model.transform(frame)
        )
        assert np.abs(results[-1] - expected).max() < 1e-5


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


@pytest.mark.parametrize("opset", [13, 15, 18, 21])
def test_the_encoder_in_any_opset(opset):
    X, _ = table(300)
    encoder = NumericalEncoder(4).fit(X)
    (encoded,) = run(encoder, X, target_opset=opset)
    assert np.abs(encoded - encoder.transform(X)).max() < 1e-5


def test_an_encoder_of_sparse_rows_takes_them_dense():
    X, _ = table(300)
    sparse = csr_array(np.nan_to_num(X, posinf=0))
    encoder = NumericalEncoder().fit(sparse)
    (encoded,) = run(encoder, sparse.toarray())
    assert np.abs(encoded - encoder.transform(sparse).toarray()).max() < 1e-5


def test_a_wrong_temperature_would_be_noticed(digits):
    X, y = digits[0].astype(np.float32), digits[1]
    model = NumpyMLPClassifier(32, max_iter=10, random_state=0).fit(X, y)
    _, proba = run(model, X)
    model.temperature_ *= 1.01
    assert np.abs(proba - model.predict_proba(X)).max() > LARGEST_DIFFERENCE[np.float32]
