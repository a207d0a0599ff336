"""The estimator as a scikit-learn user meets it."""

import copy
import io

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from threadpoolctl import threadpool_info, threadpool_limits

from sknumpynet import NumpyMLPClassifier

QUICK = {
    "hidden_layer_sizes": (32,),
    "learning_rate_init": 0.01,
    "max_iter": 200,
    "tol": 0.01,
    "random_state": 0,
}


def saved_and_loaded(model):
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    buffer.seek(0)
    return joblib.load(buffer)


def state_of(model):
    """A deep copy of all that the model holds, for comparison."""
    return copy.deepcopy(vars(model))


def assert_same_state(model, state):
    assert vars(model).keys() == state.keys()
    for name, value in state.items():
        if name == "_random_state" and value is not None:
            mine, theirs = vars(model)[name].get_state(), value.get_state()
            assert all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))
        else:
            np.testing.assert_equal(vars(model)[name], value)


@pytest.fixture(scope="module")
def fitted(digits):
    return NumpyMLPClassifier(**QUICK).fit(*digits)


def test_cross_validation_in_a_pipeline(digits):
    X, y = digits
    model = make_pipeline(MinMaxScaler(), NumpyMLPClassifier(**QUICK))
    assert cross_val_score(model, X * 16, y, cv=3).min() > 0.9


def test_grid_search_in_two_processes_is_the_same_as_in_one(digits):
    X, y = digits
    model = make_pipeline(MinMaxScaler(), NumpyMLPClassifier(**QUICK))
    grid = {"numpymlpclassifier__alpha": [1e-4, 30.0]}
    two, one = (GridSearchCV(model, grid, cv=3, n_jobs=jobs).fit(X, y) for jobs in (2, 1))
    assert two.best_params_ == {"numpymlpclassifier__alpha": 1e-4}
    # Bits may differ: a worker's matrix products are cut for fewer threads.
    assert_allclose(
        two.cv_results_["mean_test_score"], one.cv_results_["mean_test_score"], atol=0.01
    )


def test_clone_is_unfitted_and_trains_to_the_same(digits, fitted):
    twin = clone(fitted)
    with pytest.raises(NotFittedError):
        twin.predict(digits[0])
    assert_array_equal(twin.fit(*digits).params_, fitted.params_)


def test_joblib_keeps_predictions_to_the_bit_and_little_else(digits, fitted):
    X, _ = digits
    assert_array_equal(saved_and_loaded(fitted).predict_proba(X), fitted.predict_proba(X))
    buffer = io.BytesIO()
    joblib.dump(fitted, buffer)
    assert buffer.tell() < fitted.params_.nbytes + 20_000


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_saving_amid_partial_fit_changes_nothing(digits, solver):
    X, y = digits
    straight = NumpyMLPClassifier(16, solver=solver, random_state=0)
    straight.partial_fit(X, y, classes=np.arange(10))
    broken = saved_and_loaded(straight)
    for model in (straight, broken):
        model.partial_fit(X[:900], y[:900]).partial_fit(X[900:], y[900:])
    assert_array_equal(broken.params_, straight.params_)
    assert broken.loss_curve_ == straight.loss_curve_


def test_a_model_loaded_read_only_trains_on(digits, tmp_path):
    X, y = digits
    model = NumpyMLPClassifier(**QUICK).partial_fit(X, y, classes=np.arange(10))
    joblib.dump(model, tmp_path / "model.joblib")
    loaded = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
    assert_array_equal(loaded.partial_fit(X, y).params_, model.partial_fit(X, y).params_)


def test_partial_fit_goes_through_the_same_steps_as_fit(digits):
    X, y = digits
    settings = {**QUICK, "max_iter": 4}
    with pytest.warns(ConvergenceWarning, match="max_iter=4"):
        whole = NumpyMLPClassifier(**settings).fit(X, y)
    pieces = NumpyMLPClassifier(**settings)
    for _ in range(4):
        pieces.partial_fit(X, y, classes=np.arange(10))
    assert_array_equal(pieces.params_, whole.params_)
    assert pieces.loss_curve_ == whole.loss_curve_
    assert pieces.t_ == whole.t_ == 4 * len(y)
    assert pieces.n_iter_ == whole.n_iter_ == 4


def test_partial_fit_shuffles_anew_in_each_call():
    X, y = np.eye(50), np.arange(50) % 2
    model = NumpyMLPClassifier((), batch_size=1, random_state=0, solver="sgd", alpha=0)
    losses = []
    for _ in range(2):
        before = model.partial_fit(X, y, classes=[0, 1]).params_.copy()
        twin = copy.deepcopy(model)
        losses.append(model.partial_fit(X, y).loss_)
        assert_array_equal(twin.partial_fit(X, y).params_, model.params_)
        assert not np.array_equal(before, model.params_)
    orders = []
    for _ in range(2):
        orders.append(model._random_state.permutation(50))
        model.partial_fit(X, y)
    assert not np.array_equal(*orders)


def test_a_user_may_change_the_learning_rate_between_calls(digits):
    X, y = digits
    model = NumpyMLPClassifier(16, random_state=0).partial_fit(X, y, classes=np.arange(10))
    model.set_params(learning_rate_init=0.5).partial_fit(X, y)
    assert model.history_["learning_rate"] == [0.001, 0.5]


def test_warm_start_goes_on(digits):
    X, y = digits
    model = NumpyMLPClassifier(**{**QUICK, "warm_start": True, "max_iter": 3, "tol": 0})
    with pytest.warns(ConvergenceWarning):
        model.fit(X, y)
    with pytest.warns(ConvergenceWarning):
        model.fit(X, y)
    long = clone(model).set_params(max_iter=6)
    with pytest.warns(ConvergenceWarning):
        long.fit(X, y)
    assert_array_equal(model.params_, long.params_)
    assert model.loss_curve_ == long.loss_curve_
    assert (model.n_iter_, model.t_) == (3, 6 * len(y))


def test_logistic_regression_is_the_network_without_hidden_layer():
    rng = np.random.RandomState(0)
    X = rng.randn(80, 3)
    y = (X @ [1, -2, 0.5] + rng.randn(80) > 0).astype(int)
    net = NumpyMLPClassifier((), alpha=1.0, max_iter=9000, tol=1e-9, learning_rate_init=0.01).fit(
        X, y
    )
    reference = LogisticRegression(C=1.0, tol=1e-8).fit(X, y)
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
def test_any_labels_come_back_as_they_were(digits, labels):
    X, y = digits
    labels = np.asarray(labels)
    y = labels[np.minimum(y, len(labels) - 1)]
    model = NumpyMLPClassifier(**QUICK).fit(X, y)
    assert_array_equal(model.classes_, np.unique(labels))
    assert model.predict(X).dtype == y.dtype
    assert model.score(X, y) > 0.95
    assert model.predict_proba(X).shape == (len(X), len(labels))


def test_two_classes_have_one_output_and_more_have_a_softmax(digits):
    X, y = digits
    two = NumpyMLPClassifier(**QUICK).fit(X, y > 4)
    assert (two.n_outputs_, two.out_activation_, two.coefs_[-1].shape) == (1, "logistic", (32, 1))
    ten = NumpyMLPClassifier(**QUICK).fit(X, y)
    assert (ten.n_outputs_, ten.out_activation_, ten.n_layers_) == (10, "softmax", 3)
    assert [W.shape for W in ten.coefs_] == [(64, 32), (32, 10)]
    assert [b.shape for b in ten.intercepts_] == [(32,), (10,)]
    assert all(np.shares_memory(W, ten.params_) for W in ten.coefs_ + ten.intercepts_)


def test_probabilities_sum_to_one_and_agree_with_their_logs(digits, fitted):
    X, _ = digits
    proba, log_proba = fitted.predict_proba(X), fitted.predict_log_proba(100 * X)
    assert_allclose(proba.sum(axis=1), 1)
    assert_array_equal(fitted.classes_[proba.argmax(axis=1)], fitted.predict(X))
    assert np.isfinite(log_proba).all()


def test_blocks_of_rows_predict_what_single_rows_do(monkeypatch, digits, fitted):
    X, _ = digits
    whole = fitted.predict_proba(X)
    monkeypatch.setattr("sknumpynet.network.BLOCK", 7 * 64)
    assert_allclose(fitted.predict_proba(X), whole, rtol=1e-5)


def test_multilabel_targets():
    X, Y = make_multilabel_classification(n_samples=150, random_state=0)
    model = NumpyMLPClassifier(
        50, learning_rate_init=0.02, tol=1e-3, max_iter=200, random_state=0
    ).fit(X, Y)
    assert model.score(X, Y) > 0.9
    assert_array_equal(model.predict(X), model.predict_proba(X) > 0.5)
    assert model.out_activation_ == "logistic"


def test_data_frames_give_feature_names_and_the_same_model(digits, fitted):
    X, y = digits
    names = [f"pixel {i}" for i in range(64)]
    for frame, target in [
        (pd.DataFrame(X, columns=names), pd.Series(y)),
        (pl.DataFrame(X, schema=names), pl.Series(y)),
    ]:
        model = NumpyMLPClassifier(**QUICK).fit(frame, target)
        assert list(model.feature_names_in_) == names
        assert_allclose(model.params_, fitted.params_, atol=1e-4)
        assert_array_equal(model.predict(frame), model.predict(frame))


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_array])
def test_sparse_data_train_to_the_dense_result(digits, fitted, container):
    X, y = digits
    model = NumpyMLPClassifier(**QUICK).fit(container(X), y)
    assert_allclose(model.loss_curve_[:3], fitted.loss_curve_[:3], rtol=1e-4)
    assert (model.predict(container(X)) == fitted.predict(X)).mean() > 0.99


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_array_has_the_training_dtype(digits, dtype):
    X, y = digits
    model = NumpyMLPClassifier(16, dtype=dtype).partial_fit(X, y, classes=np.arange(10))
    arrays = [model.params_, *model.coefs_, *model.intercepts_]
    arrays += [value for value in model._solver_state.values() if np.ndim(value)]
    assert {array.dtype.name for array in arrays} == {dtype}


def test_auto_dtype_is_float32_but_for_a_fit_on_few_rows(digits):
    X, y = digits
    quick = NumpyMLPClassifier(4, tol=np.inf, max_iter=20)
    assert quick.fit(X, y).params_.dtype == np.float32
    assert clone(quick).fit(X[:99], y[:99]).params_.dtype == np.float64
    assert clone(quick).partial_fit(X[:9], y[:9], classes=y).params_.dtype == np.float32


def test_weight_two_is_two_rows_and_weight_zero_is_none():
    rng = np.random.RandomState(0)
    X, y, weight = rng.randn(30, 4), rng.randint(3, size=30), rng.randint(3, size=30)
    settings = {"tol": 1e-3, "max_iter": 200, "random_state": 0, "alpha": 1.0}
    weighted = NumpyMLPClassifier(**settings).fit(X, y, sample_weight=weight)
    repeated = NumpyMLPClassifier(**settings).fit(X.repeat(weight, axis=0), y.repeat(weight))
    assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-7)
    assert_allclose(weighted.loss_, repeated.loss_)


def test_a_heavy_batch_steps_further_than_a_light_one():
    X, y = np.ones((4, 1)), np.array([1, 1, 0, 0])
    settings = {"solver": "sgd", "momentum": 0, "batch_size": 2, "shuffle": False, "alpha": 0}
    start = NumpyMLPClassifier((), **settings, random_state=0, learning_rate_init=1e-3)
    pulls = []
    for weight in ([1, 1, 1, 1], [3, 3, 1, 1]):
        model = clone(start).partial_fit(X, y, weight, classes=[0, 1])
        pulls.append(model.intercepts_[0][0])
    assert pulls[1] > pulls[0]


def test_class_weight_multiplies_sample_weight():
    rng = np.random.RandomState(0)
    X, y = rng.randn(90, 4), np.array(["a", "b", "b"] * 30)
    settings = {"tol": 1e-3, "max_iter": 200, "random_state": 0}
    by_class = NumpyMLPClassifier(**settings, class_weight={"a": 4}).fit(X, y)
    by_row = NumpyMLPClassifier(**settings).fit(X, y, np.where(y == "a", 4.0, 1.0))
    balanced = NumpyMLPClassifier(**settings, class_weight="balanced").fit(X, y)
    by_hand = NumpyMLPClassifier(**settings).fit(X, y, np.where(y == "a", 1.5, 0.75))
    assert_array_equal(by_class.params_, by_row.params_)
    assert_array_equal(balanced.params_, by_hand.params_)


def test_a_read_only_memory_map_is_neither_written_nor_copied(digits, tmp_path, fitted):
    X, y = digits
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert_array_equal(NumpyMLPClassifier(**QUICK).fit(mapped, y).params_, fitted.params_)


def test_verbose_prints_each_epoch(digits, capsys):
    model = NumpyMLPClassifier(**QUICK, verbose=True).fit(*digits)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == model.n_iter_ + 1
    assert lines[0].startswith(f"Iteration 1, loss = {model.loss_curve_[0]:.8f}, ")
    assert lines[-1] == "Training loss did not improve by tol=0.01 in 10 epochs. Stopping."


def test_history_tells_each_epoch(fitted):
    assert fitted.history_["epoch"] == list(range(1, fitted.n_iter_ + 1))
    assert fitted.history_["loss"] == fitted.loss_curve_
    assert fitted.best_loss_ == min(fitted.loss_curve_)
    assert min(fitted.history_["seconds"]) > 0


BAD_PARAMETERS = {
    "hidden_layer_sizes": [(100, 0), -5, "100", (10, "a"), 2.5, None, True],
    "activation": ["sigmoid", None],
    "solver": ["rmsprop"],
    "alpha": [-1, "1", np.nan, np.inf, None],
    "batch_size": [0, "all", 10.0],
    "learning_rate": ["cosinus"],
    "learning_rate_init": [0, -1, "0.1"],
    "power_t": [-1],
    "max_iter": [0, "10", 1.5],
    "shuffle": ["yes", 1],
    "random_state": ["a", -1, 1.5],
    "tol": [-1, "a"],
    "verbose": ["loud"],
    "warm_start": ["no"],
    "momentum": [-0.1, 1.1],
    "nesterovs_momentum": ["no"],
    "early_stopping": ["no"],
    "validation_fraction": [0, 1],
    "beta_1": [1],
    "beta_2": [-1],
    "epsilon": [0],
    "n_iter_no_change": [0, 2.5, "a"],
    "max_fun": [0],
    "dropout": [1.0, -0.1, "a", (0.5, 1)],
    "label_smoothing": [1, -0.1],
    "first_layer_factor": [-1, "fast"],
    "weight_decay": [-1],
    "scoring": ["precise", None],
    "max_time": [0, "long"],
    "class_weight": ["even", {0: -1}, [1, 2]],
    "dtype": ["float16", np.float32],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name in BAD_PARAMETERS for value in BAD_PARAMETERS[name]]
)
def test_a_bad_parameter_is_named_with_its_value_and_nothing_is_lost(digits, fitted, name, value):
    model = copy.deepcopy(fitted).set_params(**{name: value})
    before = state_of(model)
    with pytest.raises(ValueError, match=name) as caught:
        model.fit(*digits)
    assert repr(value) in str(caught.value)
    assert_same_state(model, before)
    with pytest.raises(ValueError, match=name):
        model.partial_fit(*digits)


def with_value(X, value):
    X = X.copy()
    X[3, 5] = value
    return X


BAD_DATA = {
    "NaN": (lambda X, y: (with_value(X, np.nan), y), "X contains NaN"),
    "infinity": (lambda X, y: (with_value(X, np.inf), y), "X contains infinity"),
    "too few columns": (lambda X, y: (X[:, :9], y), "9 features, but .* 64"),
    "lengths": (lambda X, y: (X[:-1], y), "inconsistent"),
    "strings": (lambda X, y: (X.astype(str), y), "numeric"),
    "1-D X": (lambda X, y: (X[0], y), "Expected 2D array"),
    "unseen label": (lambda X, y: (X, np.where(y == 3, 77, y)), r"not among the classes: \[77\]"),
    "label of another type": (lambda X, y: (X, y.astype(str)), "not among the classes"),
    "multilabel": (lambda X, y: (X, np.eye(10, dtype=int)[y]), "start a new estimator"),
    "NaN label": (lambda X, y: (X, np.where(y == 3, np.nan, y)), "y contains NaN"),
    "negative weight": (lambda X, y: (X, y, -np.ones(len(y))), "sample_weight"),
    "no weight": (lambda X, y: (X, y, np.zeros(len(y))), "sample_weight is all zero"),
    "NaN weight": (lambda X, y: (X, y, np.full(len(y), np.nan)), "sample_weight contains NaN"),
    "classes as weights": (lambda X, y: (X, y, np.arange(10)), r"sample_weight .*classes=\.\.\."),
    "2-D weights": (lambda X, y: (X, y, np.ones((len(y), 2))), "sample_weight of shape"),
}


@pytest.mark.parametrize("kind", BAD_DATA)
def test_bad_data_in_partial_fit_change_nothing(digits, kind):
    X, y = digits
    model = NumpyMLPClassifier(8, random_state=0).partial_fit(X, y, classes=np.arange(10))
    before = state_of(model)
    spoil, message = BAD_DATA[kind]
    with pytest.raises(ValueError, match=message):
        model.partial_fit(*spoil(X, y))
    assert_same_state(model, before)


def test_fit_needs_two_classes(digits):
    X, y = digits
    model = NumpyMLPClassifier()
    with pytest.raises(ValueError, match="y has only one class, 7"):
        model.fit(X, np.full(len(y), 7))
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        model.fit(X, y + 0.5)
    assert state_of(model) == model.get_params()


def test_partial_fit_needs_the_classes_once(digits):
    X, y = digits
    model = NumpyMLPClassifier(8)
    with pytest.raises(ValueError, match="classes must be given"):
        model.partial_fit(X, y)
    with pytest.raises(ValueError, match="classes has only one class"):
        model.partial_fit(X, y, classes=[1])
    assert state_of(model) == model.get_params()
    model.partial_fit(X[:5], y[:5], classes=np.arange(10))
    with pytest.raises(ValueError, match="differs from the first call's"):
        model.partial_fit(X, y, classes=[1, 2])


def test_another_architecture_needs_another_estimator(digits):
    X, y = digits
    model = NumpyMLPClassifier(8).partial_fit(X, y, classes=np.arange(10))
    with pytest.raises(ValueError, match="hidden_layer_sizes=9"):
        model.set_params(hidden_layer_sizes=9).partial_fit(X, y)


def test_balanced_weights_in_a_stream_count_all_rows_seen_so_far():
    X, y = np.eye(4), np.array([0, 0, 0, 1])
    settings = {"random_state": 0, "dtype": "float64"}
    balanced = NumpyMLPClassifier(5, class_weight="balanced", **settings)
    by_hand = NumpyMLPClassifier(5, **settings)
    balanced.partial_fit(X, y, classes=[0, 1]).partial_fit(X, 1 - y)
    by_hand.partial_fit(X, y, 2 / np.array([3, 3, 3, 1]), classes=[0, 1]).partial_fit(X, 1 - y)
    assert_allclose(balanced.params_, by_hand.params_)


def test_class_weight_of_a_multilabel_target_weighs_yes_and_no_of_each_label():
    rng = np.random.RandomState(0)
    X, Y = rng.randn(200, 5), (rng.rand(200, 3) < 0.1).astype(int)
    settings = {"tol": 1e-2, "max_iter": 200, "random_state": 0}
    plain = NumpyMLPClassifier(**settings).fit(X, Y)
    heavy = NumpyMLPClassifier(**settings, class_weight={1: 9.0}).fit(X, Y)
    balanced = NumpyMLPClassifier(**settings, class_weight="balanced").fit(X, Y)
    assert heavy.predict_proba(X).mean() > 2 * plain.predict_proba(X).mean()
    assert balanced.predict_proba(X).mean() > 2 * plain.predict_proba(X).mean()


def test_divergence_stops_at_once_and_keeps_the_last_good_epoch(digits):
    X, y = digits
    model = NumpyMLPClassifier(8, random_state=0).partial_fit(X, y, classes=np.arange(10))
    model.set_params(solver="sgd", learning_rate_init=1e30)
    before = state_of(model)
    with pytest.raises(ValueError, match=r"learning_rate_init=1e\+30.*scale X"):
        model.partial_fit(X, y)
    assert_same_state(model, before)
    full_batch = NumpyMLPClassifier(
        8, solver="sgd", learning_rate_init=1e30, batch_size=len(y), max_iter=9, random_state=0
    )
    with pytest.raises(ValueError, match="not finite any more in epoch 2"):
        full_batch.fit(X, y)
    assert np.isfinite(full_batch.params_).all()
    assert full_batch.n_iter_ == 1


@pytest.mark.parametrize("max_iter", [9, "auto"])
def test_an_interrupt_leaves_the_last_whole_epoch(digits, monkeypatch, max_iter):
    X, y = digits
    taken = iter(range(25))

    def interrupted(self, p, g, lr, state):
        if next(taken, None) is None:
            raise KeyboardInterrupt
        p -= lr * g

    monkeypatch.setattr("sknumpynet.optimizers.SGD.step", interrupted)
    model = NumpyMLPClassifier(8, solver="sgd", max_iter=max_iter, random_state=0)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    assert model.n_iter_ == len(model.loss_curve_) == 2
    assert model.predict(X).shape == y.shape


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_training_gives_the_users_threads_back(solver):
    X, y = load_iris(return_X_y=True)
    with threadpool_limits(2):
        before = threadpool_info()
        NumpyMLPClassifier(8, solver=solver, max_iter=5).fit(X, y)
        joblib.Parallel(2, prefer="threads")(
            joblib.delayed(NumpyMLPClassifier(8, solver=solver, max_iter=5).fit)(X, y)
            for _ in range(8)
        )
        assert threadpool_info() == before
