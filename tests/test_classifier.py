"""The estimator as a user of scikit-learn meets it."""

import copy
import io
import operator
import pickle

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal, assert_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from sknumpynet import NumpyMLPClassifier

QUICK = {
    "hidden_layer_sizes": (32,),
    "preset": "sklearn",
    "learning_rate_init": 0.01,
    "tol": 0.01,
    "random_state": 0,
}


def saved_and_loaded(model):
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    buffer.seek(0)
    return joblib.load(buffer)


@pytest.fixture(scope="module")
def fitted(digits):
    return NumpyMLPClassifier(**QUICK).fit(*digits)


def test_cross_validation_in_a_pipeline(digits):
    X, y = digits
    model = make_pipeline(MinMaxScaler(), NumpyMLPClassifier(**QUICK))
    assert cross_val_score(model, X * 16, y, cv=3).min() > 0.9


def test_grid_search_in_two_processes_gives_the_result_of_one(digits):
    X, y = digits
    model = make_pipeline(MinMaxScaler(), NumpyMLPClassifier(**QUICK))
    grid = {"numpymlpclassifier__alpha": [1e-4, 30.0]}
    two, one = (GridSearchCV(model, grid, cv=3, n_jobs=jobs).fit(X, y) for jobs in (2, 1))
    assert two.best_params_ == {"numpymlpclassifier__alpha": 1e-4}
    # A worker has fewer threads, so its matrix products may be rounded differently.
    assert_allclose(
        two.cv_results_["mean_test_score"], one.cv_results_["mean_test_score"], atol=0.01
    )


def test_a_clone_is_unfitted_and_trains_to_the_same_network(digits, fitted):
    twin = clone(fitted)
    for method in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        with pytest.raises(NotFittedError):
            getattr(twin, method)(digits[0])
    assert_array_equal(twin.fit(*digits).params_, fitted.params_)


def test_the_random_state_is_used_as_scikit_learn_does(digits):
    X, y = digits[0][:99], digits[1][:99]

    def params(random_state):
        model = NumpyMLPClassifier(4, max_iter=2, random_state=random_state)
        return model.fit(X, y).params_

    seeded, stream = np.random.RandomState(7), np.random.RandomState(7)
    assert_array_equal(params(7), params(7))
    assert_array_equal(params(7), params(seeded))
    assert not np.array_equal(params(7), params(seeded))  # `seeded` has advanced
    assert not np.array_equal(params(None), params(None))
    first = params(stream)
    stream.seed(7)
    assert_array_equal(params(stream), first)


def test_a_second_fit_forgets_the_first(digits, fitted):
    X, y = digits
    frame = pd.DataFrame(X[:, :5], columns=list("abcde"))
    model = clone(fitted).fit(frame, y > 4)
    model.fit(X, y)
    assert_equal(vars(model).keys(), vars(fitted).keys())
    assert_array_equal(model.params_, fitted.params_)
    assert model.history_["loss"] == fitted.history_["loss"]


def test_a_saved_model_predicts_the_same_to_the_bit(digits, fitted):
    X, _ = digits
    assert_array_equal(saved_and_loaded(fitted).predict_proba(X), fitted.predict_proba(X))


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_saving_between_calls_of_partial_fit_changes_nothing(digits, solver):
    X, y = digits
    straight = NumpyMLPClassifier(16, solver=solver, dropout=0.1, random_state=0)
    straight.partial_fit(X, y, classes=np.arange(10))
    interrupted = saved_and_loaded(straight)
    for model in (straight, interrupted):
        model.partial_fit(X[:900], y[:900]).partial_fit(X[900:], y[900:])
    assert_array_equal(interrupted.params_, straight.params_)
    assert interrupted.loss_curve_ == straight.loss_curve_


def test_a_model_loaded_as_a_read_only_memory_map_can_be_trained_further(digits, tmp_path):
    X, y = digits
    model = NumpyMLPClassifier(**QUICK).partial_fit(X, y, classes=np.arange(10))
    joblib.dump(model, tmp_path / "model.joblib")
    loaded = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
    assert_array_equal(loaded.partial_fit(X, y).params_, model.partial_fit(X, y).params_)


def test_partial_fit_takes_the_same_steps_as_fit(digits):
    X, y = digits
    settings = {**QUICK, "max_iter": 4, "shuffle": False}
    with pytest.warns(ConvergenceWarning, match="n_iter_=4"):
        whole = NumpyMLPClassifier(**settings).fit(X, y)
    pieces = NumpyMLPClassifier(**settings)
    for _ in range(4):
        pieces.partial_fit(X, y, classes=np.arange(10))
    assert_array_equal(pieces.params_, whole.params_)
    assert pieces.loss_curve_ == whole.loss_curve_
    assert pieces.t_ == whole.t_ == 4 * len(y)
    assert pieces.n_iter_ == whole.n_iter_ == 4


@pytest.mark.parametrize("n_classes", [2, 3])
def test_without_hidden_layer_it_is_logistic_regression(n_classes):
    rng = np.random.RandomState(0)
    X, y = rng.randn(80, 3), np.arange(80) % n_classes
    X[:, 0] += y
    net = NumpyMLPClassifier((), solver="lbfgs", alpha=2.0, tol=1e-8).fit(X, y)
    reference = LogisticRegression(C=1 / 2.0, tol=1e-8).fit(X, y)
    assert_allclose(net.predict_proba(X), reference.predict_proba(X), atol=1e-3)


@pytest.mark.parametrize(
    "labels",
    [
        ["no", "yes"],
        ["a", "b", "c"],
        [-1, 1],
        [False, True],
        [2.0, 3.0, 5.0],
        np.array(["x", "longer", "y"], object),
    ],
    ids=repr,
)
def test_labels_of_any_type_are_returned_as_they_were(digits, labels):
    X, y = digits
    labels = np.asarray(labels)
    y = labels[np.minimum(y, len(labels) - 1)]
    model = NumpyMLPClassifier(**QUICK).fit(X, y)
    assert_array_equal(model.classes_, np.unique(labels))
    assert model.predict(X).dtype == y.dtype
    assert model.score(X, y) > 0.95
    assert model.predict_proba(X).shape == (len(X), len(labels))


def test_two_classes_have_one_output_and_more_have_a_softmax(digits, fitted):
    X, y = digits
    two = NumpyMLPClassifier(**QUICK).fit(X, y > 4)
    assert (two.n_outputs_, two.out_activation_, two.coefs_[-1].shape) == (1, "logistic", (32, 1))
    assert (fitted.n_outputs_, fitted.out_activation_, fitted.n_layers_) == (10, "softmax", 3)
    assert [W.shape for W in fitted.coefs_] == [(64, 32), (32, 10)]
    assert [b.shape for b in fitted.intercepts_] == [(32,), (10,)]


CHANGES_OF_LAYERS = {
    "append": lambda layers: layers.append(layers[0]),
    "extend": lambda layers: layers.extend([]),
    "insert": lambda layers: layers.insert(0, layers[0]),
    "pop": lambda layers: layers.pop(),
    "remove": lambda layers: layers.remove(layers[0]),
    "clear": lambda layers: layers.clear(),
    "sort": lambda layers: layers.sort(key=np.size),
    "reverse": lambda layers: layers.reverse(),
    "del": lambda layers: operator.delitem(layers, 0),
    "del slice": lambda layers: operator.delitem(layers, slice(None)),
    "+=": lambda layers: operator.iadd(layers, [layers[0]]),
    "*=": lambda layers: operator.imul(layers, 2),
}


@pytest.mark.parametrize("attribute", ["coefs_", "intercepts_"])
@pytest.mark.parametrize("change", CHANGES_OF_LAYERS)
def test_layers_cannot_be_added_removed_or_reordered(fitted, attribute, change):
    before = fitted.params_.copy()
    with pytest.raises(TypeError, match=r"cannot be added, removed or reordered\. Assign an array"):
        CHANGES_OF_LAYERS[change](getattr(fitted, attribute))
    assert_array_equal(fitted.params_, before)


def test_every_method_that_changes_a_list_is_refused_or_writes_to_the_parameters(fitted):
    changing = {*dir(list), "__iadd__", "__imul__"} - {*dir(tuple), "copy", "__reversed__"}
    assert changing <= {*vars(type(fitted.coefs_))}


@pytest.mark.parametrize(
    "copied",
    [
        list,
        list.copy,
        copy.copy,
        copy.deepcopy,
        lambda layers: pickle.loads(pickle.dumps(layers)),
        lambda layers: layers[:],
        lambda layers: layers + layers[:0],
    ],
)
def test_a_copy_of_the_layers_is_a_plain_list(fitted, copied):
    assert isinstance(fitted.coefs_, list)
    layers = copied(fitted.coefs_)
    assert type(layers) is list
    assert_equal(layers, list(fitted.coefs_))
    layers.append(layers.pop(0))
    assert [W.shape for W in layers] == [(32, 10), (64, 32)]
    assert [W.shape for W in fitted.coefs_] == [(64, 32), (32, 10)]


def test_layers_that_are_assigned_to_each_other_change_places(digits):
    model = NumpyMLPClassifier((8, 8, 8), max_iter=2, random_state=0).fit(*digits)
    _, first, second, _ = copy.deepcopy(model.coefs_)
    model.coefs_[1:3] = model.coefs_[2:0:-1]
    assert_array_equal(model.coefs_[1], second)
    assert_array_equal(model.coefs_[2], first)


def test_an_assignment_that_fails_changes_no_layer(fitted):
    before = fitted.params_.copy()
    with pytest.raises(ValueError, match="could not convert"):
        fitted.intercepts_ = [np.ones(32), np.full(10, "x")]
    assert_array_equal(fitted.params_, before)


def test_probabilities_sum_to_1_and_agree_with_predictions_and_logarithms(digits, fitted):
    X, _ = digits
    proba = fitted.predict_proba(X)
    assert_allclose(proba.sum(axis=1), 1)
    assert_array_equal(fitted.classes_[proba.argmax(axis=1)], fitted.predict(X))
    assert_allclose(np.log(proba), fitted.predict_log_proba(X), rtol=1e-6, atol=1e-12)


def test_multilabel_targets():
    X, Y = make_multilabel_classification(n_samples=150, random_state=0)
    model = NumpyMLPClassifier(50, solver="lbfgs", tol=1e-2, random_state=0)
    model.fit(X, sparse.csr_array(Y))
    assert model.score(X, Y) > 0.9
    assert_array_equal(model.predict(X), model.predict_proba(X) > 0.5)
    assert model.out_activation_ == "logistic"
    assert_array_equal(model.classes_, np.arange(Y.shape[1]))


def test_data_frames_give_feature_names_and_the_same_network(digits, fitted):
    X, y = digits
    names = [f"pixel {i}" for i in range(64)]
    for frame, target in [
        (pd.DataFrame(X, columns=names), pd.Series(y)),
        (pl.DataFrame(X, schema=names), pl.Series(y)),
    ]:
        model = NumpyMLPClassifier(**QUICK).fit(frame, target)
        assert list(model.feature_names_in_) == names
        assert_allclose(model.params_, fitted.params_, atol=1e-7)
        assert_array_equal(model.predict(frame), fitted.predict(X))
        with pytest.raises(ValueError, match="feature names"):
            model.predict(frame[names[::-1]])


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_array])
def test_sparse_data_train_the_same_network_as_dense_data(digits, fitted, container):
    X, y = digits
    model = NumpyMLPClassifier(**QUICK).fit(container(X), y)
    assert_allclose(model.loss_curve_, fitted.loss_curve_, rtol=1e-4)
    assert_allclose(model.predict_proba(container(X)), fitted.predict_proba(X), atol=1e-3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_parameters_have_the_chosen_dtype(digits, dtype, solver):
    X, y = digits
    settings = {"dtype": dtype, "solver": solver, "tol": 1e9, "max_iter": 2}
    model = NumpyMLPClassifier(16, **settings).fit(X[:150], y[:150])
    assert {a.dtype.name for a in (model.params_, *model.coefs_, *model.intercepts_)} == {dtype}
    assert model.predict_proba(X).dtype == model.decision_function(X).dtype == np.float64


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("preset", ["tuned", "sklearn"])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_the_users_errstate_does_not_matter(digits, solver, preset):
    X, y = digits[0][:300], digits[1][:300] % 3
    results = []
    for state in ("warn", "raise"):
        model = NumpyMLPClassifier(8, solver=solver, preset=preset, max_iter=20, random_state=0)
        with np.errstate(all=state):
            results.append(model.fit(X, y).predict_proba(X))
            assert np.isfinite(model.predict_proba(1e6 * X)).all()
            if solver != "lbfgs":
                results[-1] = model.partial_fit(X, y).predict_proba(X)
                fresh = NumpyMLPClassifier(8, solver=solver, preset=preset, random_state=0)
                fresh.partial_fit(X, y, classes=[0, 1, 2])
    assert_array_equal(*results)


@pytest.mark.filterwarnings("ignore:X is not scaled")
def test_lbfgs_of_huge_features_has_no_other_warning_and_does_not_blame_the_learning_rate(digits):
    X, y = digits[0][:300], digits[1][:300]
    model = NumpyMLPClassifier(8, solver="lbfgs", dtype="float32", random_state=0)
    assert np.isfinite(model.fit(1e30 * X, y).loss_)
    with pytest.raises(ValueError, match="The loss is not finite") as caught:
        model.fit(1e39 * X, y)
    assert "learning_rate" not in str(caught.value)
    assert "Scale X" in str(caught.value)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_epsilon_that_is_0_in_float32_does_not_divide_by_0(digits, dtype):
    X, y = digits  # has columns that are 0
    assert (X == 0).all(axis=0).any()
    settings = {"max_iter": 10, "dtype": dtype, "random_state": 0}
    for preset in ("tuned", "sklearn"):
        model = NumpyMLPClassifier(16, preset=preset, epsilon=1e-50, learning_rate="linear")
        model.set_params(**settings, learning_rate_init=0.01)
        assert model.fit(X, y).score(X, y) > 0.8
        model.partial_fit(X, y)
        assert np.isfinite(model.params_).all()


def test_class_weight_multiplies_sample_weight():
    rng = np.random.RandomState(0)
    X, y, weight = rng.randn(90, 4), np.array(["a", "b", "b"] * 30), rng.rand(90)
    X[y == "a", 0] += 1
    heavy = np.where(y == "a", 4.0, 1.0)
    settings = {"hidden_layer_sizes": 8, "max_iter": 20, "random_state": 0}
    by_class, by_row = (
        NumpyMLPClassifier(**settings, class_weight={"a": 4}),
        NumpyMLPClassifier(**settings),
    )
    assert_array_equal(by_class.fit(X, y).params_, by_row.fit(X, y, heavy).params_)
    for _ in range(2):
        by_class.partial_fit(X, y, weight)
        by_row.partial_fit(X, y, heavy * weight)
    assert_array_equal(by_class.params_, by_row.params_)
    balanced = NumpyMLPClassifier(**settings, class_weight="balanced").fit(X, y)
    by_hand = NumpyMLPClassifier(**settings).fit(X, y, np.where(y == "a", 1.5, 0.75))
    assert_array_equal(balanced.params_, by_hand.params_)


def test_balanced_weights_in_a_stream_count_all_rows_seen_since_the_last_fit():
    X, y = np.eye(4), np.array([0, 0, 0, 1])
    settings = {"random_state": 0, "dtype": "float64", "max_iter": 2}
    balanced = NumpyMLPClassifier(5, class_weight="balanced", **settings)
    by_hand = NumpyMLPClassifier(5, **settings)
    balanced.partial_fit(X, y, classes=[0, 1]).partial_fit(X, 1 - y)
    by_hand.partial_fit(X, y, 2 / np.array([3, 3, 3, 1]), classes=[0, 1]).partial_fit(X, 1 - y)
    assert_allclose(balanced.params_, by_hand.params_)
    # Rows count also while class_weight is None, and no more after another `fit`.
    counted = NumpyMLPClassifier(5, **settings).partial_fit(X, y, classes=[0, 1])
    counted.set_params(class_weight="balanced").partial_fit(X, 1 - y)
    unweighted = NumpyMLPClassifier(5, **settings).partial_fit(X, y, classes=[0, 1])
    assert_allclose(counted.params_, unweighted.partial_fit(X, 1 - y).params_)
    counted.fit(X, y).partial_fit(X, 1 - y)
    fresh = clone(counted).fit(X, y).partial_fit(X, 1 - y)
    assert_array_equal(counted.params_, fresh.params_)


def test_class_weight_of_a_multilabel_target_weights_yes_and_no_of_each_label():
    rng = np.random.RandomState(0)
    X = rng.randn(200, 5)
    Y = (X[:, :3] + 2 * rng.randn(200, 3) > 3).astype(int)  # a tenth
    settings = {"hidden_layer_sizes": 32, "max_iter": 30, "random_state": 0}
    plain, heavy, balanced = (
        NumpyMLPClassifier(**settings, class_weight=weight).fit(X, Y).predict_proba(X).mean()
        for weight in (None, {1: 9.0}, "balanced")
    )
    assert heavy > 2 * plain
    assert balanced > 2 * plain


def test_a_read_only_memory_map_trains_the_same_network(digits, tmp_path, fitted):
    X, y = digits
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert_array_equal(NumpyMLPClassifier(**QUICK).fit(mapped, y).params_, fitted.params_)


def with_value(X, value):
    X = X.copy()
    X[3, 5] = value
    return X


BAD_DATA = {
    "NaN": (lambda X, y: (with_value(X, np.nan), y), "X contains NaN"),
    "infinity": (lambda X, y: (with_value(X, np.inf), y), "X contains infinity"),
    "too few columns": (lambda X, y: (X[:, :9], y), "9 features, but .* 64"),
    "lengths": (lambda X, y: (X[:-1], y), "inconsistent"),
    "1-D X": (lambda X, y: (X[0], y), "Expected 2D array"),
    "unseen label": (
        lambda X, y: (X, np.where(y == 3, 77, y)),
        r"not among the classes: \[77\]|same classes as",
    ),
    "label of another type": (
        lambda X, y: (X, y.astype(str)),
        "not among the classes|same classes as",
    ),
    "multilabel": (lambda X, y: (X, np.eye(10, dtype=int)[y]), "start a new estimator"),
    "NaN label": (lambda X, y: (X, np.where(y == 3, np.nan, y)), "y has missing labels"),
    "negative weight": (lambda X, y: (X, y, -np.ones(len(y))), "sample_weight holds -1"),
    "no weight": (lambda X, y: (X, y, np.zeros(len(y))), "sample_weight is all zero"),
    "NaN weight": (lambda X, y: (X, y, np.full(len(y), np.nan)), "sample_weight contains NaN"),
    "2-D weights": (lambda X, y: (X, y, np.ones((len(y), 2))), "sample_weight of shape"),
}


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("kind", BAD_DATA)
def test_bad_data_are_named_and_change_nothing(digits, kind, method):
    X, y = digits
    model = NumpyMLPClassifier(8, warm_start=True, random_state=0)
    model.partial_fit(X, y, classes=np.arange(10))
    before = copy.deepcopy(vars(model))
    spoil, message = BAD_DATA[kind]
    with pytest.raises(ValueError, match=message):
        getattr(model, method)(*spoil(X, y))
    assert_equal(vars(model), before)


def test_partial_fit_needs_the_classes_once(digits):
    X, y = digits
    model = NumpyMLPClassifier(8)
    with pytest.raises(ValueError, match="classes must be given"):
        model.partial_fit(X, y)
    assert vars(model) == model.get_params()
    model.partial_fit(X[:5], y[:5], classes=np.arange(10))
    model.partial_fit(X[:5], y[:5], classes=np.arange(10))
    with pytest.raises(ValueError, match="differs from the first call's"):
        model.partial_fit(X, y, classes=[1, 2])


@pytest.mark.parametrize("change", [{"hidden_layer_sizes": 9}, {"activation": "tanh"}])
def test_another_architecture_needs_another_estimator(digits, change):
    X, y = digits
    model = NumpyMLPClassifier(8, warm_start=True).partial_fit(X, y, classes=np.arange(10))
    model.set_params(**change)
    for train in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match=r"differ from the network's \(8,\), 'gelu'"):
            train(X, y)
