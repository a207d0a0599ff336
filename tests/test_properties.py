"""Random cases: an error that names its cause, or a sound network; and metamorphic relations.

`python -m pytest tests/test_properties.py --hypothesis-profile=long` tries many more cases.
"""

import warnings
from copy import deepcopy
from tempfile import TemporaryFile

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from helpers import predictions, streamed
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from sknumpynet import NumericalEncoder, NumpyMLPClassifier, NumpyMLPRegressor

pytestmark = pytest.mark.slow

DTYPES = ["float16", "float32", "float64", "bool", "int8", "uint8", "int16", "uint16", "int32"]
DTYPES += ["int64", "uint64", "object", ">f4", ">f8", ">i4"]
LAYOUTS = ["C", "F", "strided", "reversed", "read_only", "memory map", "list", "DataFrame"]
FORMATS = ["csr", "csc", "coo", "bsr", "lil", "dok", "dia"]


def in_layout(X, layout):
    """Return data that are equal to X, with another layout in memory or of another type."""
    if layout == "F":
        return np.asfortranarray(X)
    if layout == "strided":
        wide = np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)
        return wide[::2, ::3]
    if layout == "reversed":
        return X[::-1, ::-1].copy()[::-1, ::-1]
    if layout == "memory map" and X.dtype != object:
        with TemporaryFile() as file:
            mapped = np.memmap(file, X.dtype, shape=X.shape)
        mapped[:] = X
        return mapped
    if layout == "list":
        return X.tolist()
    if layout == "DataFrame" and X.dtype.isnative:
        return pd.DataFrame(X, columns=list("abcde"[: X.shape[1]]))
    X = X.copy()
    X.flags.writeable = layout != "read_only"
    return X


def in_format(X, name, as_matrix, flaw):
    """Return a sparse array or matrix that is equal to X, perhaps in an uncommon form."""
    if name in ("csr", "csc", "coo") and flaw == "duplicates":
        rows, columns = np.nonzero(X)
        half = X[rows, columns] / 2
        pairs = np.r_[rows, rows], np.r_[columns, columns]
        X = sparse.coo_array((np.r_[half, half], pairs), shape=X.shape)
    kind = getattr(sparse, f"{name}_{'matrix' if as_matrix else 'array'}")
    S = kind(X)
    if name in ("csr", "csc"):
        if flaw == "int64 indices":
            S.indices, S.indptr = S.indices.astype(np.int64), S.indptr.astype(np.int64)
        if flaw == "explicit zeros" and S.nnz:
            S.data[0] = 0
        if flaw == "unsorted":
            S = S[:, ::-1][:, ::-1]
    return S


@st.composite
def inputs(draw):
    """Return X of some kind, and its values as a float64 array, which may have nan and inf."""
    n, d = draw(st.integers(1, 60)), draw(st.integers(1, 5))
    rng = np.random.RandomState(draw(st.integers(0, 2**16)))
    scale = draw(st.sampled_from([1, 1, 1, 1e-30, 1e4, 1e30]))
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    values = rng.randn(n, d) * scale
    if draw(st.booleans()):
        values *= rng.rand(n, d) < 0.5
    with np.errstate(all="ignore"):
        if dtype.kind in "iu":
            values = np.clip(np.round(values * 10), -100, 100) if dtype.kind == "i" else abs(values)
            values = np.clip(values, -100, 100)
        X = values.astype(dtype)
    bad = draw(st.sampled_from([None] * 8 + [np.nan, np.inf]))
    if bad is not None and dtype.kind in "fO":
        X[rng.randint(n), rng.randint(d)] = bad
    truth = X.astype(np.float64)
    is_sparse = dtype.kind in "fiu" and dtype.isnative and dtype != np.float16
    if is_sparse and draw(st.integers(0, 3)) == 0:
        flaws = [None, "duplicates", "int64 indices", "explicit zeros", "unsorted"]
        name, flaw = draw(st.sampled_from(FORMATS)), draw(st.sampled_from(flaws))
        X = in_format(X, name, draw(st.booleans()), flaw if np.isfinite(truth).all() else None)
        return X, np.asarray(X.todense(), np.float64)
    return in_layout(X, draw(st.sampled_from(LAYOUTS))), truth


ARROW_STRING = pd.ArrowDtype(pa.string())
LABELS = {
    "int": lambda c: c,
    "int8": lambda c: c.astype(np.int8),
    "negative": lambda c: c - 1,
    "float": lambda c: c.astype(float),
    "bool": lambda c: c > 0,
    "str": lambda c: np.array(["no", "maybe", "yes"])[c],
    "object": lambda c: np.array(["no", "maybe", "yes"], object)[c],
    "list": lambda c: c.tolist(),
    "column": lambda c: c[:, None],
    "categorical": lambda c: pd.Series(pd.Categorical.from_codes(c, ["no", "maybe", "yes"])),
    "Int64": lambda c: pd.Series(c, dtype="Int64"),
    "string": lambda c: pd.Series(np.array(["no", "maybe", "yes"])[c], dtype="string"),
    "boolean": lambda c: pd.Series(c > 0, dtype="boolean"),
    "Arrow int": lambda c: pd.Series(c, dtype="int64[pyarrow]"),
    "Arrow bool": lambda c: pd.Series(c > 0, dtype="bool[pyarrow]"),
    "Arrow string": lambda c: pd.Series(np.array(["no", "maybe", "yes"])[c], dtype=ARROW_STRING),
    "Arrow array": lambda c: pa.array(c),
    "indicator": lambda c: np.eye(3, dtype=int)[c] | np.eye(3, dtype=int)[::-1][c],
    "continuous": lambda c: c + 0.5,
    "short": lambda c: c[:-1],
    "object int": lambda c: c.astype(object),
    "missing": lambda c: pd.Series([None, *c[1:]], dtype="Int64"),
    "mixed": lambda c: [str(c[0]), *c[1:].tolist()],
    "masked": lambda c: np.ma.array(c, mask=c == 1),
    "StringDType": lambda c: c.astype(np.dtypes.StringDType()),
}
NUMBERS = {
    "float": lambda c, rng: c + rng.rand(len(c)),
    "float32": lambda c, rng: (c + rng.rand(len(c))).astype(np.float32),
    "int": lambda c, rng: c,
    "bool": lambda c, rng: c > 0,
    "object": lambda c, rng: c.astype(object),
    "list": lambda c, rng: c.tolist(),
    "column": lambda c, rng: rng.rand(len(c), 1),
    "two": lambda c, rng: rng.rand(len(c), 2),
    "constant": lambda c, rng: np.full(len(c), 0.1),
    "huge": lambda c, rng: 1e300 * rng.randn(len(c)),
    "tiny": lambda c, rng: 1e-300 * rng.randn(len(c)),
    "huge and tiny": lambda c, rng: np.c_[1e300 * rng.randn(len(c)), 1e-300 * rng.randn(len(c))],
    "far from 0": lambda c, rng: 1e12 + rng.rand(len(c)),
    "gross error": lambda c, rng: np.r_[1e200, rng.rand(len(c) - 1)],
    "Series": lambda c, rng: pd.Series(rng.rand(len(c)), index=c),
    "Float64": lambda c, rng: pd.Series(rng.rand(len(c)), dtype="Float64"),
    "Arrow": lambda c, rng: pd.Series(rng.rand(len(c)), dtype="double[pyarrow]"),
    "NaN": lambda c, rng: np.r_[np.nan, rng.rand(len(c) - 1)],
    "infinity": lambda c, rng: np.r_[np.inf, rng.rand(len(c) - 1)],
    "words": lambda c, rng: np.array(["no", "maybe", "yes"])[c],
    "short": lambda c, rng: rng.rand(len(c) - 1),
    "three dimensions": lambda c, rng: rng.rand(len(c), 2, 2),
    "complex": lambda c, rng: c + 1j,
    "missing": lambda c, rng: pd.Series([None, *c[1:]], dtype="Float64"),
    "masked": lambda c, rng: np.ma.array(rng.rand(len(c)), mask=c == 1),
    "dates": lambda c, rng: c.astype("M8[D]"),
    "largest": lambda c, rng: 1.7e308 * (c - 1.0),
    "StringDType": lambda c, rng: rng.rand(len(c)).astype(np.dtypes.StringDType()),
}
WEIGHTS = {
    "none": lambda rng, n: None,
    "ones": lambda rng, n: np.ones(n),
    "random": lambda rng, n: rng.rand(n),
    "some zero": lambda rng, n: rng.randint(2, size=n).astype(float),
    "all zero": lambda rng, n: np.zeros(n),
    "huge": lambda rng, n: np.full(n, 1e300),
    "overflowing": lambda rng, n: np.full(n, 1e308),
    "tiny": lambda rng, n: np.full(n, 1e-300),
    "mixed": lambda rng, n: 10.0 ** rng.randint(-200, 200, size=n),
    "negative": lambda rng, n: rng.randn(n),
    "nan": lambda rng, n: np.full(n, np.nan),
    "list": lambda rng, n: [1] * n,
    "smallest": lambda rng, n: 5e-324 * rng.randint(3, size=n),
    "one heavy": lambda rng, n: np.r_[1e40, np.ones(n - 1)],
    "number": lambda rng, n: 2.0,
}
# Limits, what is just beyond them, and some usual values.
VALUES = {
    "hidden_layer_sizes": [(), 1, 7, (3, 2), [4], (2, 2, 2), 0, (3, 0), -1, "big"],
    "activation": ["identity", "logistic", "tanh", "relu", "silu", "selu", "RELU"],
    "preset": ["sklearn", "tuned", "tuned", "other"],
    "effort": [0.01, 1.0, 2, 0, -1, np.inf],
    "solver": ["adam", "sgd", "lbfgs", "rmsprop"],
    "alpha": [0, 1e-4, 10.0, 1e30, -1e-9, np.nan, np.inf],
    "batch_size": [1, 7, 200, 10**6, 0, 2.5],
    "learning_rate": ["constant", "invscaling", "adaptive", "linear", "cosine", "one_cycle", 0.1],
    "learning_rate_init": [1e-30, 0.01, 1.0, 1e10, 0, -1, np.nan],
    "power_t": [0, 0.5, 3, -1],
    "max_iter": [1, 2, 0, 2.5, 10**20],
    "max_fun": [1, 15000, 0],
    "random_state": [0, 2**32 - 1, -1, "seed"],
    "verbose": [0, False, "no"],
    "warm_start": [True, False, "no"],
    "shuffle": [True, False, "no"],
    "tol": [0, 1e-4, 1e10, np.inf, -1],
    "momentum": [0, 0.9, 1, 1.1],
    "nesterovs_momentum": [True, False],
    "early_stopping": [True, False, False, 1],
    "validation_fraction": [0.01, 0.5, 0.99, 0, 1],
    "beta_1": [0, 0.9, 0.999999, 1],
    "beta_2": [0, 0.9, 0.999999, 1],
    "epsilon": [0, 1e-8, 1e30, -1e-9],
    "n_iter_no_change": [1, 2, np.inf, 0],
    "class_weight": [None, "balanced", {0: 0}, {1: 1e300}, {0: -1}, "equal"],
    "dropout": [0, 0.5, 0.999999, 1, -0.1, (0.5,)],
    "label_smoothing": [0, 0.1, 0.999999, 1],
    "input_lr_multiplier": [0, 1, 100.0, -1],
    "weight_decay": [0, 0.1, 100.0, -1],
    "scoring": ["accuracy", "loss", "neg_log_loss", "f1_macro", "nonsense"],
    "max_time": [None, 1e-9, 10, 0],
    "dtype": ["float32", "float64", "auto", "float16"],
}


OF_NUMBERS = {
    **{name: values for name, values in VALUES.items() if name in NumpyMLPRegressor().get_params()},
    "loss": ["squared_error", "absolute_error", "huber", "quantile", "poisson", "mse"],
    "quantile": [0.5, 1e-9, [0.1, 0.9], [0.9, 0.1], 0, 1],
    "huber_width": [1.35, 1e-300, 1e300, 0],
    "scoring": ["r2", "loss", "neg_mean_absolute_error", "accuracy", "nonsense"],
}


@st.composite
def parameters(draw, of=VALUES):
    names = draw(st.lists(st.sampled_from(sorted(of)), max_size=5, unique=True))
    return {name: draw(st.sampled_from(of[name])) for name in names}


def copy_of(value):
    return (
        deepcopy(value) if isinstance(value, list) or not hasattr(value, "copy") else value.copy()
    )


def same(a, b):
    """Tell whether two inputs are equal to the bit, in the same type and form."""
    if sparse.issparse(a):
        return type(a) is type(b) and same(a.toarray(), b.toarray())
    if isinstance(a, pd.Series):
        return a.equals(b)
    a, b = np.asarray(a), np.asarray(b)
    return a.dtype == b.dtype and bool(np.all((a == b) | ((a != a) & (b != b))))


def call(work, *owned):
    """Call `work`; return its result, or the ValueError or TypeError that it raises.

    Nothing of the user's may change, and no warning of NumPy's may leak.
    """
    copies, state = [copy_of(value) for value in owned], np.random.get_state()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        for message in (
            "X is not scaled",
            "batch_size=.* is clipped",
            "max_time=",
            "target_center_ and",
            "y has the value",
        ):
            warnings.filterwarnings("ignore", message, UserWarning)
        warnings.filterwarnings("ignore", "A column-vector y was passed")  # scikit-learn's
        # neg_log_loss is not meant for several labels, which scikit-learn says
        warnings.filterwarnings("ignore", "The y_pro.* values do not sum to one")
        warnings.filterwarnings("ignore", "The number of unique classes is greater")
        try:
            result = work()
        except (ValueError, TypeError) as error:
            result = error
    assert all(map(same, owned, copies))
    for now, before in zip(np.random.get_state(), state, strict=True):
        assert_array_equal(now, before)
    return result


def sound_predictions(model, X):
    """Check that a fitted network is finite; return its predictions, None if X is too large."""
    assert np.isfinite(model.params_).all()
    assert np.isfinite(model.history_["loss"]).all()
    result = call(lambda: predictions(model, X), X)
    if isinstance(result, ValueError):
        assert "too large" in str(result)
        return None
    return result


def check_network(model, X, y):
    """Check that a fitted network is sound."""
    proba = sound_predictions(model, X)
    if proba is None:
        return
    logs, predicted = model.predict_log_proba(X), model.predict(X)
    assert np.isfinite(logs).all()
    assert proba.min() > 0
    assert proba.max() < 1
    assert_allclose(np.exp(logs), proba, rtol=1e-9, atol=1e-15)
    if np.ndim(predicted) == 2:
        assert_array_equal(predicted, proba > 0.5)
        return
    assert_allclose(proba.sum(axis=1), 1, atol=1e-6)
    chosen = np.take_along_axis(proba, np.searchsorted(model.classes_, predicted)[:, None], 1)
    assert_allclose(chosen[:, 0], proba.max(axis=1), rtol=1e-5)


@given(inputs(), st.sampled_from(sorted(LABELS)), st.sampled_from(sorted(WEIGHTS)), parameters())
def test_fit_raises_an_error_with_a_cause_or_gives_a_sound_network(pair, labels, weights, changes):
    X, truth = pair
    rng = np.random.RandomState(0)
    y = LABELS[labels](rng.randint(3, size=len(truth)))
    weight = WEIGHTS[weights](rng, len(truth))
    usual = {"hidden_layer_sizes": 4, "effort": 0.05, "random_state": 0, "max_iter": 3}
    model = NumpyMLPClassifier(**{**usual, **changes})
    result = call(lambda: model.fit(X, y, weight), X, y, weight)
    if isinstance(result, Exception):
        assert len(str(result)) > 20
        if not vars(model).keys() - set(model.get_params()):
            return
        assert "The loss is not finite any more" in str(result)  # the epochs before were good
        result = model
    assert result is model
    assert np.isfinite(truth).all()
    check_network(model, X, y)


@given(inputs(), st.sampled_from(sorted(LABELS)), st.sampled_from(sorted(WEIGHTS)), parameters())
def test_partial_fit_raises_an_error_with_a_cause_or_gives_a_sound_network(
    pair, labels, weights, changes
):
    X, truth = pair
    rng = np.random.RandomState(0)
    y = LABELS[labels](rng.randint(3, size=len(truth)))
    weight = WEIGHTS[weights](rng, len(truth))
    changes = {n: v for n, v in changes.items() if not (n == "solver" and v == "lbfgs")}
    model = NumpyMLPClassifier(**{"hidden_layer_sizes": 4, "random_state": 0, **changes})
    classes = None if np.ndim(y) == 2 and np.shape(y)[1] > 1 else np.unique(np.asarray(y))
    classes = np.arange(3) if classes is None else classes
    for _ in range(2):
        before = deepcopy(vars(model))
        result = call(lambda: model.partial_fit(X, y, weight, classes=classes), X, y, weight)
        if isinstance(result, Exception):
            assert len(str(result)) > 20
            assert vars(model).keys() == before.keys()
            return
    check_network(model, X, y)


@given(
    inputs(),
    st.sampled_from(sorted(NUMBERS)),
    st.sampled_from(sorted(WEIGHTS)),
    parameters(OF_NUMBERS),
    st.booleans(),
)
def test_a_regressor_raises_an_error_with_a_cause_or_is_sound(
    pair, numbers, weights, changes, is_stream
):
    X, truth = pair
    rng = np.random.RandomState(0)
    y = NUMBERS[numbers](rng.randint(3, size=len(truth)), rng)
    weight = WEIGHTS[weights](rng, len(truth))
    usual = {"hidden_layer_sizes": 4, "effort": 0.05, "random_state": 0, "max_iter": 3}
    model = NumpyMLPRegressor(**{**usual, **changes})
    is_stream &= model.solver != "lbfgs"
    work = model.partial_fit if is_stream else model.fit
    result = call(lambda: work(X, y, weight), X, y, weight)
    if isinstance(result, Exception):
        assert len(str(result)) > 20
        if not vars(model).keys() - set(model.get_params()):
            return
        assert "The loss is not finite any more" in str(result)  # the epochs before were good
    assert np.isfinite(truth).all()
    predicted = sound_predictions(model, X)
    if predicted is None:
        return
    n_levels = np.size(model._options().get("level", 0))
    shape = np.shape(np.asarray(y))
    if n_levels > 1 or shape[1:] == (1,):
        shape = (len(truth), n_levels) if n_levels > 1 else shape[:1]
    assert predicted.shape == shape
    assert not np.isnan(predicted).any()
    if n_levels > 1:
        assert (np.diff(predicted, axis=1) >= 0).all()


@given(inputs(), st.sampled_from(sorted(LABELS)), st.sampled_from([*sorted(WEIGHTS)]))
def test_the_encoder_raises_an_error_with_a_cause_or_gives_finite_numbers(pair, labels, weights):
    X, truth = pair
    rng = np.random.RandomState(0)
    y = LABELS[labels](rng.randint(3, size=len(truth)))
    weight = WEIGHTS[weights](rng, len(truth))
    encoder = NumericalEncoder()
    result = call(lambda: encoder.fit(X, y, sample_weight=weight), X, y, weight)
    if isinstance(result, Exception):
        assert len(str(result)) > 20
        assert not vars(encoder).keys() - {"n_bins"}
        return
    Z = call(lambda: encoder.transform(X), X)
    assert Z.shape == (len(truth), len(encoder.get_feature_names_out()))
    assert Z.dtype == np.float32
    assert np.isfinite(Z.data if sparse.issparse(Z) else Z).all()
    assert abs(Z).max() <= 3


# --- Metamorphic relations -------------------------------------------------------------------

TRAINING = st.fixed_dictionaries(
    {
        "hidden_layer_sizes": st.sampled_from([(), (5,), (4, 3)]),
        "activation": st.sampled_from(["identity", "tanh", "relu", "gelu", "selu"]),
        "solver": st.sampled_from(["adam", "sgd"]),
        "alpha": st.sampled_from([0.0, 0.1]),
        "weight_decay": st.sampled_from([0.0, 0.1]),
        "label_smoothing": st.sampled_from([0.0, 0.1]),
        "learning_rate_init": st.sampled_from([0.001, 0.05]),
        "random_state": st.integers(0, 1000),
    }
)


# A number of classes, or 0: numbers.
KINDS = st.sampled_from([0, 2, 3, 4, 0])


def problem(seed, n_classes, n=40, d=4):
    """Return X, and a target: of classes, or of numbers if there are no classes."""
    rng = np.random.RandomState(seed)
    X = rng.randn(n, d)
    if n_classes == 0:
        return X, np.exp(X[:, 0]) + rng.rand(n)
    return X, np.r_[np.arange(n_classes), rng.randint(n_classes, size=n - n_classes)]


def new(training, y, **changes):
    """Return an estimator for labels, which are integers, or for numbers."""
    options = {"preset": "sklearn", "dtype": "float64", **training, **changes}
    if y.dtype.kind == "f":
        del options["label_smoothing"]
        return NumpyMLPRegressor(**options)
    return NumpyMLPClassifier(**options)


def trained(training, X, y, weight=None, **changes):
    model = new(training, y, **{"max_iter": 4, "tol": 0, **changes})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y, weight)


@given(TRAINING, st.integers(0, 1000), KINDS, st.integers(2, 5))
def test_a_weight_is_a_number_of_copies(training, seed, n_classes, k):
    X, y = problem(seed, n_classes)
    weight = np.random.RandomState(seed).randint(k + 1, size=len(y))
    weight[:4] += 1  # each class has a row
    copies = np.repeat(np.arange(len(y)), weight)
    shown = np.where(weight > 0, y, y[0] if n_classes else 1e300)
    weighted = trained(training, X, shown, weight, batch_size=len(y))
    copied = trained(training, X[copies], y[copies], batch_size=len(copies))
    assert_allclose(weighted.params_, copied.params_, rtol=1e-6, atol=1e-9)


@given(TRAINING, st.integers(0, 1000), st.integers(2, 4))
def test_the_names_of_the_classes_do_not_matter(training, seed, n_classes):
    X, y = problem(seed, n_classes)
    names = np.array(["a", "b", "c", "d"])
    numbered, named = trained(training, X, y), trained(training, X, names[y])
    assert_array_equal(numbered.params_, named.params_)
    assert_array_equal(names[numbered.predict(X)], named.predict(X))


@given(TRAINING, st.integers(0, 1000), KINDS, st.sampled_from(["csr", "csc", "coo"]))
def test_sparse_is_dense(training, seed, n_classes, name):
    X, y = problem(seed, n_classes)
    X[X < 0] = 0
    dense, thin = trained(training, X, y), trained(training, in_format(X, name, False, None), y)
    assert_allclose(dense.params_, thin.params_, rtol=1e-7, atol=1e-10)


@given(TRAINING, st.integers(0, 1000), KINDS)
def test_the_order_of_the_columns_does_not_matter(training, seed, n_classes):
    X, y = problem(seed, n_classes)
    one = streamed(new(training, y, solver="sgd", momentum=0.0, learning_rate_init=0.001), X, y)
    order = np.random.RandomState(seed).permutation(X.shape[1])
    other = deepcopy(one)
    other.coefs_[0] = one.coefs_[0][order]
    for _ in range(3):
        one.partial_fit(X, y)
        other.partial_fit(X[:, order], y)
    assert_allclose(other.coefs_[0], one.coefs_[0][order], rtol=1e-6, atol=1e-9)
    assert_allclose(predictions(other, X[:, order]), predictions(one, X), rtol=1e-6, atol=1e-9)


# A call begins with the rows as they are, while a later epoch of a call shuffles the last order.
CALLS = {"batch_size": 16, "shuffle": False, "dropout": 0.2}


@given(TRAINING, st.integers(0, 1000), KINDS, st.integers(1, 4))
def test_calls_of_partial_fit_are_epochs_of_fit(training, seed, n_classes, k):
    X, y = problem(seed, n_classes)
    whole = trained(training, X, y, max_iter=k, **CALLS)
    stream = new(training, y, **CALLS)
    for _ in range(k):
        streamed(stream, X, y)
    assert_array_equal(stream.params_, whole.params_)


@given(TRAINING, st.integers(0, 1000), KINDS, st.integers(1, 3))
def test_a_warm_start_in_two_halves_is_one_fit(training, seed, n_classes, k):
    X, y = problem(seed, n_classes)
    whole = trained(training, X, y, max_iter=2 * k, **CALLS)
    half = trained(training, X, y, max_iter=k, warm_start=True, **CALLS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        half.fit(X, y)
    assert_array_equal(half.params_, whole.params_)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(TRAINING, st.integers(0, 1000), KINDS)
def test_a_constant_zero_feature_changes_nothing_else(dtype, training, seed, n_classes):
    X, y = problem(seed, n_classes)
    options = {"solver": "sgd", "learning_rate_init": 0.001, "dtype": dtype}
    one = streamed(new(training, y, **options), X, y)
    wide = np.c_[X, np.zeros(len(X))]
    other = streamed(new(training, y, **options), wide, y)
    for mine, theirs in zip(other.coefs_[1:], one.coefs_[1:], strict=True):
        mine[...] = theirs
    other.coefs_[0][:-1] = one.coefs_[0]
    other.intercepts_ = list(one.intercepts_)
    other._resume, one._resume = deepcopy(other._resume), deepcopy(one._resume)
    for model in (one, other):  # the streams and the velocities differ
        model._resume["optimizer"] = {}
        model._resume["random_state"] = np.random.RandomState(0).get_state(legacy=False)
    for _ in range(3):
        one.partial_fit(X, y)
        other.partial_fit(wide, y)
    tolerance = {"rtol": 1e-4, "atol": 1e-5} if dtype == "float32" else {"rtol": 1e-7, "atol": 1e-9}
    assert_allclose(other.coefs_[0][:-1], one.coefs_[0], **tolerance)
    assert_allclose(predictions(other, wide), predictions(one, X), **tolerance)


@given(
    TRAINING,
    st.integers(0, 1000),
    st.sampled_from(["squared_error", "absolute_error", "huber", "quantile"]),
    st.sampled_from([1e-100, 1e-3, 1.0, 1e6, 1e200]),
    st.integers(-3, 3),
)
def test_predictions_have_the_unit_of_y(training, seed, loss, unit, offset):
    X, y = problem(seed, 0)
    settings = {"preset": "tuned", "loss": loss, "effort": 0.02, "learning_rate_init": 0.001}
    one = new(training, y, **settings).fit(X, y)
    other = new(training, y, **settings).fit(X, unit * (y + offset))
    assert_allclose(other.predict(X) / unit - offset, one.predict(X), rtol=1e-4, atol=1e-4)


@given(TRAINING, st.integers(0, 1000), st.sampled_from(["squared_error", "poisson"]))
def test_the_order_of_the_outputs_does_not_matter(training, seed, loss):
    X, y = problem(seed, 0)
    Y, order = np.column_stack([y, y[::-1], y**2]), [2, 0, 1]
    settings = {"solver": "sgd", "learning_rate_init": 1e-4, "loss": loss}
    one = new(training, y, **settings).partial_fit(X, Y)
    other = deepcopy(one)
    other.coefs_[-1], other.intercepts_[-1] = one.coefs_[-1][:, order], one.intercepts_[-1][order]
    for model in (one, other):  # the velocities are in the other order
        model._resume = {**model._resume, "optimizer": {}}
    for _ in range(3):
        one.partial_fit(X, Y)
        other.partial_fit(X, Y[:, order])
    assert_allclose(other.predict(X), one.predict(X)[:, order], rtol=1e-6, atol=1e-9)
