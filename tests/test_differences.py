"""What equals MLPClassifier with ``preset='sklearn'``, and the rows of docs/differences.md."""

import os
import pickle
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse, special
from sklearn import datasets
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from sknumpynet import NumpyMLPClassifier as Tuned
from sknumpynet.core.batches import Minibatches


def NumpyMLPClassifier(*args, **kwargs):  # noqa: N802
    """Ours with the defaults of MLPClassifier."""
    return Tuned(*args, preset="sklearn", **kwargs)


TESTS = Path(__file__).parent
quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def blobs(n=300, n_classes=3, seed=0):
    """Overlapping classes in 5 dimensions."""
    rng = np.random.RandomState(seed)
    y = np.arange(n) % n_classes
    return rng.randn(n, 5) + rng.randn(n_classes, 5)[y], y


DATA = {
    "iris": lambda: datasets.load_iris(return_X_y=True),
    "wine": lambda: datasets.load_wine(return_X_y=True),
    "breast cancer": lambda: datasets.load_breast_cancer(return_X_y=True),
    "digits": lambda: datasets.load_digits(return_X_y=True),
    "multilabel": lambda: datasets.make_multilabel_classification(random_state=0),
    "two moons": lambda: datasets.make_moons(200, noise=0.2, random_state=0),
}
SOLVERS = {
    "plain sgd": {"solver": "sgd", "momentum": 0.0},
    "momentum": {"solver": "sgd", "nesterovs_momentum": False},
    "nesterov": {"solver": "sgd"},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling"},
    "adam": {"solver": "adam"},
}


@quiet
@pytest.mark.parametrize("alpha", [0.0, 1.0])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("data", DATA)
def test_loss_curve_is_scikit_learns(data, shuffle, solver, alpha):
    X, y = DATA[data]()
    X = scale(X)
    shared = {
        "hidden_layer_sizes": (20, 10),
        "activation": "tanh",
        "alpha": alpha,
        "batch_size": 32,
        "learning_rate_init": 0.01,
        "max_iter": 5,
        "shuffle": shuffle,
        "random_state": 0,
        **SOLVERS[solver],
    }
    theirs = MLPClassifier(**shared).fit(X, y)
    ours = NumpyMLPClassifier(**shared).fit(X, y)
    assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=0, atol=1e-9)


@pytest.mark.parametrize("data", DATA)
def test_lbfgs_finds_scikit_learns_minimum(data):
    X, y = DATA[data]()
    # Without hidden layer and with a penalty there is one minimum.
    shared = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 10.0, "tol": 1e-7}
    X = scale(X)
    ours = NumpyMLPClassifier(**shared).fit(X, y)
    theirs = MLPClassifier(**shared).fit(X, y)
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-3)
    assert_allclose(ours.loss_, theirs.loss_, rtol=1e-6)


def test_every_attribute_of_scikit_learns_exists_after_every_solver():
    X, y = blobs()
    theirs = MLPClassifier(tol=1, max_iter=50).fit(X, y)
    public = {name for name in vars(theirs) if name.endswith("_") and not name.startswith("_")}
    for solver in ("sgd", "adam", "lbfgs"):
        ours = NumpyMLPClassifier(solver=solver, tol=1, max_iter=500).fit(X, y)
        missing = {name for name in public | {"history_"} if not hasattr(ours, name)}
        assert not missing
        assert len({len(column) for column in ours.history_.values()}) == 1
        assert len(ours.loss_curve_) == ours.n_iter_
        assert ours.t_ == ours.n_iter_ * len(X)


def test_every_parameter_of_scikit_learns_has_its_default():
    X, y = blobs()
    theirs, ours = MLPClassifier().get_params(), Tuned().get_params()
    resolved = NumpyMLPClassifier(tol=1).fit(X, y).settings_
    ours |= {name: resolved[name] for name, value in ours.items() if value == "auto"}
    assert theirs.pop("batch_size") == "auto"  # which means 200
    assert ours["batch_size"] == 200
    assert theirs.items() <= ours.items()


@quiet
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_the_preset_sklearn_trains_as_scikit_learns_defaults_do(solver):
    X, y = scale(blobs()[0]), blobs()[1]
    ours = NumpyMLPClassifier(solver=solver, max_iter=5, random_state=0)
    theirs = MLPClassifier(solver=solver, max_iter=5, random_state=0)
    ours.fit(X, y), theirs.fit(X, y)
    assert_allclose(ours.loss_, theirs.loss_, rtol=1e-9)
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-6)


# --- The rows of docs/differences.md -----------------------------------------------------------


@quiet
def test_a_minibatch_without_weight_is_skipped():
    X, y = blobs()
    weight = np.ones(len(y))
    weight[:100] = 0
    settings = {"batch_size": 50, "shuffle": False, "max_iter": 3, "random_state": 0}
    # Without epsilon, the steps of Adam do not depend on the scale of the gradient.
    ours = NumpyMLPClassifier(**settings, alpha=0, epsilon=1e-30)
    with pytest.raises((ZeroDivisionError, TypeError)):  # before 1.7 it took no weights at all
        MLPClassifier(**settings).fit(X, y, weight)
    skipped = clone(ours).fit(X, y, weight)
    without = clone(ours).fit(X[100:], y[100:])
    assert_allclose(skipped.params_, without.params_, rtol=1e-7)
    assert_allclose(skipped.loss_curve_, without.loss_curve_)
    with pytest.raises(ValueError, match="sample_weight is all zero"):
        skipped.fit(X, y, 0 * weight)


@quiet
def test_loss_is_the_weighted_objective():
    X, y = blobs()
    weight = np.random.RandomState(0).rand(len(y)) * (np.arange(len(y)) < 50) * 20 + 0.1
    # A learning rate of nearly 0: the parameters stay, so the epoch's loss is that of the model.
    model = NumpyMLPClassifier(8, alpha=0, learning_rate_init=1e-30, max_iter=1, batch_size=10).fit(
        X, y, weight
    )
    assert_allclose(model.loss_, log_loss(y, model.predict_proba(X), sample_weight=weight))


def test_a_heavy_minibatch_takes_a_larger_step():
    X, y = np.ones((4, 1)), np.array([1, 1, 0, 0])
    settings = {"solver": "sgd", "momentum": 0, "batch_size": 2, "shuffle": False, "alpha": 0}
    start = NumpyMLPClassifier((), **settings, random_state=0, learning_rate_init=1e-3)
    equal, heavy_ones = (
        clone(start).partial_fit(X, y, weight, classes=[0, 1]).intercepts_[0][0]
        for weight in ([1, 1, 1, 1], [3, 3, 1, 1])
    )
    assert heavy_ones > equal


@quiet
@pytest.mark.parametrize("extra", [{}, {"early_stopping": True}])
def test_a_row_of_weight_two_is_two_rows(extra):
    X, y = blobs()
    weight = np.random.RandomState(0).randint(3, size=len(y))
    settings = {"solver": "sgd", "batch_size": 600, "alpha": 1.0, "max_iter": 20, **extra}
    models = [NumpyMLPClassifier(8, **settings, random_state=0) for _ in range(2)]
    with pytest.warns(UserWarning, match="is clipped to the"):
        models[0].fit(X, y, weight)
    with pytest.warns(UserWarning, match="is clipped to the"):
        models[1].fit(X.repeat(weight, axis=0), y.repeat(weight))
    assert_allclose(models[0].params_, models[1].params_, rtol=1e-8)
    assert_array_equal(models[0].validation_scores_, models[1].validation_scores_)


@quiet
def test_validation_rows_count_by_sample_weight_and_class_weight():
    X, y = blobs()
    seen = []

    def record(estimator, X_val, y_val, sample_weight):
        seen.append((y_val, sample_weight))
        return 0.0

    settings = {"early_stopping": True, "class_weight": {1: 5.0}, "max_iter": 1}
    NumpyMLPClassifier(8, **settings, scoring=record).fit(X, y, np.full(len(y), 2.0))
    weight = {"sample_weight_val": np.full(len(y), 2.0)}
    NumpyMLPClassifier(8, **settings, scoring=record).fit(X, y, X_val=X, y_val=y, **weight)
    for y_val, sample_weight in (seen[0], seen[-1]):
        assert_allclose(sample_weight, np.where(y_val == 1, 10, 2))


def test_validation_data_count_by_the_balanced_weights_of_the_training_data():
    X, y = blobs(n_classes=2)
    frequent = np.flatnonzero((y == 0) | (np.arange(len(y)) % 10 == 1))
    model = Tuned(8, early_stopping=True, class_weight="balanced", scoring="loss", max_iter=2)
    model.set_params(random_state=0).fit(X[frequent], y[frequent], X_val=X, y_val=y)
    sums = np.bincount(y[frequent])
    weight = (sums.mean() / sums)[y]
    loss = log_loss(y, model.predict_proba(X), sample_weight=weight)
    assert_allclose(-model.best_validation_score_, loss, rtol=1e-5)


@quiet
def test_the_validation_split_is_stratified_if_every_class_allows_it():
    X, y = blobs(n_classes=5)
    y[y == 4] = 3  # classes of 60, 60, 60 and 120
    seen = []

    def count(estimator, X_val, y_val):
        seen.append(np.bincount(y_val))
        return 0.0

    settings = {"early_stopping": True, "max_iter": 1, "validation_fraction": 0.2}
    NumpyMLPClassifier(8, **settings, scoring=count).fit(X, y)
    assert_array_equal(seen[0], [12, 12, 12, 24])
    y[0] = 77  # the only row of its class cannot be on both sides
    NumpyMLPClassifier(8, **settings, scoring=count).fit(X, y)
    assert seen[1].sum() == 60


@quiet
def test_early_stopping_monitors_the_users_validation_data():
    X, y = blobs(600)
    X_val, y_val = X[:200], y[:200]
    model = NumpyMLPClassifier(
        64,
        early_stopping=True,
        learning_rate_init=0.05,
        batch_size=20,
        max_iter=60,
        random_state=0,
        n_iter_no_change=5,
    ).fit(X[200:], y[200:], X_val=X_val, y_val=y_val)
    assert model.t_ == 400 * model.n_iter_
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert_allclose(model.score(X_val, y_val), model.best_validation_score_)
    assert model.validation_scores_ == model.history_["validation_score"]
    best = int(np.argmax(model.validation_scores_))
    assert_allclose(
        log_loss(y_val, model.predict_proba(X_val)),
        model.history_["validation_loss"][best],
        rtol=1e-4,
    )


@quiet
@pytest.mark.parametrize("scoring", ["loss", "roc_auc_ovr", "custom"])
def test_scoring_is_what_early_stopping_monitors(scoring):
    X, y = blobs(600)
    frame = pd.DataFrame(X, columns=list("abcde"))
    function = {"custom": lambda estimator, X, y: estimator.predict_proba(X)[:, 0].mean()}
    model = NumpyMLPClassifier(
        32,
        early_stopping=True,
        scoring=function.get(scoring, scoring),
        max_iter=30,
        learning_rate_init=0.02,
        random_state=0,
    ).fit(frame[200:], y[200:], X_val=frame[:200], y_val=y[:200])
    best = int(np.argmax(model.validation_scores_))
    loss = log_loss(y[:200], model.predict_proba(frame[:200]))
    assert_allclose(loss, model.history_["validation_loss"][best], rtol=1e-4)
    if scoring == "loss":
        assert_allclose(-np.array(model.validation_scores_), model.history_["validation_loss"])
        assert len(model.validation_scores_) == best + 1 + 10 or model.n_iter_ == 30


@quiet
def test_without_early_stopping_validation_data_are_only_recorded():
    X, y = blobs()
    settings = {"max_iter": 5, "random_state": 0}
    model = NumpyMLPClassifier(8, **settings).fit(X, y, X_val=X[:50], y_val=y[:50])
    assert_array_equal(model.params_, NumpyMLPClassifier(8, **settings).fit(X, y).params_)
    assert len(model.validation_scores_) == 5
    assert_allclose(model.history_["validation_score"][-1], model.score(X[:50], y[:50]))


def test_bad_validation_data_are_named():
    X, y = blobs()
    model = NumpyMLPClassifier(8)
    for arguments, message in [
        ({"X_val": X}, "y_val is missing"),
        ({"y_val": y}, "X_val is missing"),
        ({"X_val": X[:, :2], "y_val": y}, "X_val is not accepted: X has 2 features"),
        ({"X_val": X, "y_val": y + 1}, r"y_val has labels .* \[3\]"),
        ({"X_val": X, "y_val": y[:-1]}, "y_val of shape"),
        ({"X_val": X, "y_val": y, "sample_weight_val": -y - 1}, "sample_weight_val holds"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.fit(X, y, **arguments)
    with pytest.raises(ValueError, match="validation set is too small"):
        NumpyMLPClassifier(early_stopping=True, validation_fraction=0.001).fit(X, y)


@quiet
def test_a_pipeline_transforms_the_validation_data():
    X, y = blobs(600)
    X = X * 1000 + 5
    with sklearn.config_context(enable_metadata_routing=True):
        mlp = NumpyMLPClassifier(16, early_stopping=True, max_iter=20, random_state=0)
        mlp.set_fit_request(X_val=True, y_val=True)
        pipeline = make_pipeline(StandardScaler(), mlp, transform_input=["X_val"])
        pipeline.fit(X[200:], y[200:], X_val=X[:200], y_val=y[:200])
        score = pipeline.score(X[:200], y[:200])
    assert_allclose(score, pipeline[-1].best_validation_score_)


@quiet
def test_patience_is_exactly_n_iter_no_change():
    X, y = blobs()
    for patience in (1, 3, np.inf):
        settings = {"tol": 1e9, "n_iter_no_change": patience, "max_iter": 20}
        assert NumpyMLPClassifier(8, **settings).fit(X, y).n_iter_ == min(patience + 1, 20)
        assert MLPClassifier(8, **settings).fit(X, y).n_iter_ == min(patience + 2, 20)


@quiet
def test_best_weights_are_a_copy_also_under_warm_start():
    X, y = blobs(400)
    model = NumpyMLPClassifier(
        16, early_stopping=True, warm_start=True, max_iter=5, random_state=0, scoring="loss"
    ).fit(X, y)
    params = model.params_
    kept = params.copy()
    model.fit(X, y)
    assert model.params_ is not params
    assert_array_equal(params, kept)


@quiet
def test_the_best_validation_score_is_that_of_the_last_call():
    X, y = blobs()
    scores = iter([0.1, 0.9, 0.2, 0.4, 0.5, 0.3])
    settings = {"early_stopping": True, "warm_start": True, "max_iter": 3}
    model = NumpyMLPClassifier(8, scoring=lambda model, X, y: next(scores), **settings)
    assert model.fit(X, y).best_validation_score_ == 0.9
    assert model.fit(X, y).best_validation_score_ == 0.5
    assert model.validation_scores_ == [0.1, 0.9, 0.2, 0.4, 0.5, 0.3]


def test_a_diverging_loss_stops_at_once():
    X, y = blobs()
    model = NumpyMLPClassifier(
        solver="sgd", learning_rate_init=1e200, batch_size=len(y), random_state=0
    )
    with pytest.raises(ValueError, match=r"epoch 2\. Lower learning_rate_init=1e\+200"):
        model.fit(X, y)
    assert np.isfinite(model.params_).all()


def test_partial_fit_never_repeats_a_shuffle(monkeypatch):
    X, y = np.eye(40), np.arange(40) % 2
    model, orders = NumpyMLPClassifier(4, random_state=0, batch_size=1), []

    def gather(self, rows, original=Minibatches.gather):
        orders[-1].extend(rows)
        return original(self, rows)

    monkeypatch.setattr(Minibatches, "gather", gather)
    for _ in range(3):
        orders.append([])
        model.partial_fit(X, y, classes=[0, 1])
    assert all(sorted(order) == list(range(40)) for order in orders)
    assert len(set(map(tuple, orders))) == 3


def test_set_params_is_used_by_the_next_partial_fit():
    X, y = blobs()
    model = NumpyMLPClassifier(8).partial_fit(X, y, classes=[0, 1, 2])
    model.set_params(learning_rate_init=0.25, solver="sgd").partial_fit(X, y)
    assert model.history_["learning_rate"] == [0.001, 0.25]


def test_partial_fit_refuses_early_stopping_before_it_changes_anything():
    X, y = blobs()
    model = NumpyMLPClassifier(8, early_stopping=True, tol=1, random_state=0).fit(X, y)
    before = pickle.dumps(model)
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        model.partial_fit(X, y)
    assert pickle.dumps(model) == before


def test_a_failing_partial_fit_changes_nothing():
    X, y = blobs()
    model = NumpyMLPClassifier(8, random_state=0).partial_fit(X, y, classes=[0, 1, 2])
    before = pickle.dumps(model)
    with pytest.raises(ValueError, match="learning_rate_init"):
        model.partial_fit(np.full_like(X, 1e308), y)
    assert pickle.dumps(model) == before


def test_a_warm_start_after_convergence_trains_on():
    X, y = blobs()
    model = NumpyMLPClassifier(8, warm_start=True, tol=1e-2, random_state=0).fit(X, y)
    first = model.n_iter_
    model.fit(X, y)
    assert model.n_iter_ > 1
    assert model.t_ == len(y) * (first + model.n_iter_)
    assert len(model.loss_curve_) == first + model.n_iter_
    assert model.history_["epoch"] == list(range(1, len(model.loss_curve_) + 1))


@quiet
@pytest.mark.parametrize("learning_rate", ["constant", "invscaling"])
def test_warm_start_continues_as_if_it_had_never_stopped(learning_rate):
    X, y = blobs()
    short = NumpyMLPClassifier(
        8,
        learning_rate=learning_rate,
        power_t=0.25,
        max_iter=3,
        warm_start=True,
        shuffle=False,  # a call begins with the rows as they are, as in scikit-learn
        dropout=0.3,
        random_state=0,
    )
    long = clone(short).set_params(max_iter=6).fit(X, y)
    short.fit(X, y)
    short = pickle.loads(pickle.dumps(short)).fit(X, y)
    assert_array_equal(short.params_, long.params_)
    assert short.history_["learning_rate"] == long.history_["learning_rate"]


def test_adaptive_divides_the_learning_rate_by_5_until_it_is_below_a_millionth():
    X, y = blobs()
    for solver in ("sgd", "adam"):
        model = NumpyMLPClassifier(
            8, solver=solver, learning_rate="adaptive", tol=0.1, max_iter=3000
        ).fit(X, y)
        rates = model.history_["learning_rate"]
        different = sorted(set(rates), reverse=True)
        assert_allclose(different, 0.001 / 5.0 ** np.arange(len(different)))
        assert different[-1] <= 1e-6 < different[-2]


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("schedule", ["linear", "cosine", "one_cycle"])
def test_annealing_schedules_end_at_0_with_every_solver(solver, schedule):
    X, y = blobs()
    model = NumpyMLPClassifier(
        8,
        solver=solver,
        learning_rate=schedule,
        learning_rate_init=0.05,
        max_iter=40,
        n_iter_no_change=np.inf,
    ).fit(X, y)  # a ConvergenceWarning would be an error here
    rates = model.history_["learning_rate"]
    assert len(rates) == 40
    assert rates[-1] < 0.002
    assert 0.045 < max(rates) <= 0.05
    stream = NumpyMLPClassifier(8, solver=solver, learning_rate=schedule)
    stream.partial_fit(X, y, classes=[0, 1, 2]).partial_fit(X, y)
    assert stream.history_["learning_rate"] == [0.001, 0.001]


def test_a_saved_model_is_about_as_large_as_its_parameters():
    X, y = datasets.load_digits(return_X_y=True)
    for solver in ("adam", "sgd", "lbfgs"):
        model = NumpyMLPClassifier(512, solver=solver, tol=1, max_iter=300).fit(X / 16, y)
        assert len(pickle.dumps(model)) < 1.1 * model.params_.nbytes


def test_loading_a_model_of_another_version_warns(monkeypatch):
    X, y = blobs()
    model = NumpyMLPClassifier(8, tol=1).fit(X, y)
    saved = pickle.dumps(model)
    assert_array_equal(pickle.loads(saved).params_, model.params_)
    monkeypatch.setattr("sknumpynet.versioning.__version__", "99.0")
    with pytest.warns(UserWarning, match=r"saved by sknumpynet .* and this is 99\.0"):
        pickle.loads(saved)


def test_predicting_many_rows_works_in_blocks(monkeypatch):
    X, y = blobs()
    model = NumpyMLPClassifier(64, tol=1).fit(X, y)
    whole = model.predict_proba(X)
    sizes = []

    def forward(X, params, network, original=sys.modules["sknumpynet.core.network"].forward):
        sizes.append(X.shape[0])
        return original(X, params, network)

    monkeypatch.setattr("sknumpynet.core.network.forward", forward)
    monkeypatch.setattr("sknumpynet.core.network.BLOCK", 64 * 20)
    assert_allclose(model.predict_proba(X), whole, rtol=1e-5)
    assert sizes == [20] * 15


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_ctrl_c_raises_and_leaves_a_usable_model(solver):
    X, y = blobs()
    calls = iter(range(3))

    def interrupt(estimator, X, y):
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return 0.0

    model = NumpyMLPClassifier(8, solver=solver, scoring=interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y, X_val=X, y_val=y)
    assert model.n_iter_ == len(model.loss_curve_) == 3
    assert model.predict(X).shape == y.shape


def test_log_probabilities_are_finite():
    X, y = blobs()
    for target in (y, y > 0, np.eye(3, dtype=int)[y]):
        model = NumpyMLPClassifier(8, tol=1).fit(X, target)
        assert np.isfinite(model.predict_log_proba(X * 1e5)).all()
        proba = model.predict_proba(X * 1e5)
        assert 0 < proba.min() < 1e-300
        assert proba.max() < 1
        if model.out_activation_ == "logistic":
            assert (model.predict_log_proba(X * 20) < 0).all()


def test_errors_show_the_users_labels():
    X, y = blobs()
    labels = np.array(["red", "green", "blue"])
    model = NumpyMLPClassifier(8, tol=1).fit(X, labels[y])
    with pytest.raises(ValueError, match=r"\['pink'\].*\['blue' 'green' 'red'\]"):
        model.partial_fit(X[:2], ["pink", "red"])
    with pytest.raises(ValueError, match=r"class_weight has labels .*pink"):
        model.set_params(class_weight={"pink": 2}).fit(X, labels[y])


@pytest.mark.parametrize(
    ("dtype", "kind"), [("Int64", "i"), ("UInt8", "u"), ("boolean", "b"), ("int16", "i")]
)
def test_labels_of_pandas_extension_types_keep_their_kind(dtype, kind):
    X, y = blobs(n_classes=2)
    series = pd.Series(y).astype(dtype)
    model = NumpyMLPClassifier(8, tol=1).fit(X, series)
    assert model.classes_.dtype.kind == model.predict(X).dtype.kind == kind
    if dtype != "int16":
        series[3] = pd.NA
        with pytest.raises(ValueError, match="y"):
            model.fit(X, series)


@quiet
def test_dropout_regularises_and_is_off_in_predictions():
    X, y = blobs(120)
    settings = {"max_iter": 100, "learning_rate_init": 0.01, "random_state": 0, "tol": 0}
    plain, dropped = (NumpyMLPClassifier(64, dropout=p, **settings).fit(X, y) for p in (0.0, 0.5))
    assert dropped.loss_ > plain.loss_
    (W_1, W_2), (b_1, b_2) = dropped.coefs_, dropped.intercepts_
    assert_allclose(dropped.decision_function(X), np.maximum(X @ W_1 + b_1, 0) @ W_2 + b_2)


@quiet
def test_dropout_may_differ_from_layer_to_layer():
    X, y = blobs()
    rates = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5), 0.5]
    models = [
        NumpyMLPClassifier((8, 8), dropout=rate, max_iter=2, random_state=0).fit(X, y)
        for rate in rates
    ]
    assert len({model.loss_ for model in models}) == 4
    assert models[3].loss_ == models[4].loss_


@quiet
def test_weight_decay_shrinks_the_weights():
    X, y = blobs()
    for solver in ("sgd", "adam"):
        norms = [
            np.linalg.norm(
                NumpyMLPClassifier(
                    8,
                    solver=solver,
                    weight_decay=decay,
                    alpha=0,
                    learning_rate_init=0.01,
                    max_iter=50,
                    random_state=0,
                )
                .fit(X, y)
                .coefs_[0]
            )
            for decay in (0.0, 1.0)
        ]
        assert norms[1] < 0.8 * norms[0]


@quiet
def test_the_first_layer_may_have_its_own_learning_rate():
    X, y = blobs()
    for solver in ("sgd", "adam"):
        frozen, longer = (
            NumpyMLPClassifier(
                8, solver=solver, input_lr_multiplier=0, max_iter=epochs, random_state=0
            ).fit(X, y)
            for epochs in (1, 5)
        )
        assert_array_equal(frozen.coefs_[0], longer.coefs_[0])
        assert not np.allclose(frozen.coefs_[1], longer.coefs_[1])
        assert not np.allclose(frozen.intercepts_[0], longer.intercepts_[0])


def test_label_smoothing_bounds_the_logits_and_is_undone_in_probabilities():
    X, y = blobs(3000)
    X_train, X_val, y_train, y_val = train_test_split(X, y, random_state=0)
    settings = {"learning_rate_init": 0.01, "tol": 1e-3, "random_state": 0}
    models = [
        NumpyMLPClassifier(64, label_smoothing=e, **settings).fit(X_train, y_train)
        for e in (0.0, 0.2)
    ]
    losses = [log_loss(y_val, model.predict_proba(X_val)) for model in models]
    assert losses[1] < losses[0] + 0.02
    bounds = [abs(model.predict_log_proba(X_val * 1e5)).max() for model in models]
    assert bounds[1] < 10 < bounds[0]


@pytest.mark.parametrize("activation", ["leaky_relu", "elu", "selu", "silu", "gelu"])
def test_modern_activations_learn(activation):
    X, y = datasets.make_moons(300, noise=0.1, random_state=0)
    model = NumpyMLPClassifier(
        (16, 16), activation, learning_rate_init=0.02, tol=1e-3, random_state=0
    )
    assert model.fit(X, y).score(X, y) > 0.98


def test_decision_function_returns_the_logits():
    X, y = blobs()
    model = NumpyMLPClassifier(8, tol=1).fit(X, y)
    logits = model.decision_function(X)
    assert_allclose(special.softmax(logits, axis=1), model.predict_proba(X), rtol=1e-6)
    model.fit(X, y > 0)
    assert_allclose(special.expit(model.decision_function(X)), model.predict_proba(X)[:, 1])
    model.fit(X, np.eye(3, dtype=int)[y])
    assert_allclose(special.expit(model.decision_function(X)), model.predict_proba(X))


def test_assigning_coefs_changes_the_network():
    X, y = blobs()
    model = NumpyMLPClassifier(8, tol=1, random_state=0).fit(X, y)
    other = NumpyMLPClassifier(8, tol=1, random_state=1).fit(X, y)
    for layer in range(2):
        model.coefs_[layer] = other.coefs_[layer].tolist()
    model.intercepts_ = other.intercepts_
    assert_array_equal(model.predict_proba(X), other.predict_proba(X))
    before = model.params_.copy()
    for bad in ([np.ones((5, 8)), np.ones((3, 8))], [np.ones((5, 8))]):
        with pytest.raises(ValueError, match="cannot replace"):
            model.coefs_ = bad
    with pytest.raises(ValueError, match=r"shape \(2, 2\) cannot replace a layer's \(5, 8\)"):
        model.coefs_[0] = np.ones((2, 2))
    assert_array_equal(model.params_, before)
    with pytest.raises(AttributeError, match="has coefs_ only once it is fitted"):
        _ = NumpyMLPClassifier().coefs_


def test_classes_in_the_place_of_sample_weight_raise_an_error_with_the_remedy():
    X, y = blobs()
    with pytest.raises(ValueError, match=r"sample_weight of shape \(3,\).*classes=\.\.\."):
        NumpyMLPClassifier().partial_fit(X, y, [0, 1, 2], classes=[0, 1, 2])


@quiet
def test_the_tuned_preset_has_float32_parameters():
    X, y = blobs()
    assert Tuned(max_iter=2).fit(X, y).coefs_[0].dtype == np.float32
    assert Tuned(max_iter=2).fit(X[:49], y[:49]).coefs_[0].dtype == np.float64
    assert Tuned(solver="lbfgs").fit(X, y).coefs_[0].dtype == np.float64
    for dtype in ("float32", "float64"):
        assert NumpyMLPClassifier(tol=1).fit(X.astype(dtype), y).coefs_[0].dtype == dtype


def test_partial_fit_epochs_are_counted():
    X, y = blobs()
    model = NumpyMLPClassifier(8)
    for n in (1, 2, 3):
        assert model.partial_fit(X, y, classes=[0, 1, 2]).n_iter_ == n


def test_lbfgs_continues_a_network_of_adam_in_float64():
    X, y = blobs()
    model = Tuned(8, warm_start=True, max_iter=5, label_smoothing=0.0, random_state=0).fit(X, y)
    assert model.params_.dtype == np.float32
    before = log_loss(y, model.predict_proba(X))
    model.set_params(solver="lbfgs", alpha=1e-4, tol=1e-2, max_iter="auto").fit(X, y)
    assert log_loss(y, model.predict_proba(X)) < before
    assert model.params_.dtype == np.float64


def test_each_row_of_the_tables_names_a_test_that_exists():
    rows = [
        line.split("|")[1:-1]
        for line in (TESTS.parent / "docs" / "differences.md").read_text().splitlines()
        if line.startswith("|") and "`test_" in line
    ]
    assert len(rows) >= 25
    for *_, cell in rows:
        name, file = re.fullmatch(r" `(test_\w+)`(?: \((test_\w+\.py)\))? ", cell).groups()
        source = (TESTS / (file or "test_differences.py")).read_text()
        assert f"def {name}(" in source, f"docs/differences.md names {name}, which does not exist"


def test_import_brings_neither_pandas_nor_matplotlib():
    code = (
        "import sys, sklearn.neural_network; before = set(sys.modules); import sknumpynet; "
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(new & {'pandas', 'matplotlib', 'dask', 'polars', 'torch'}))"
    )
    environment = {key: value for key, value in os.environ.items() if key != "SCIPY_ARRAY_API"}
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert out.stdout.strip() == "[]"


@quiet
def test_lbfgs_ignores_early_stopping_without_validation_data():
    X, y = datasets.make_moons(200, noise=0.3, random_state=0)
    shared = {"hidden_layer_sizes": (10, 10), "solver": "lbfgs", "alpha": 1.0, "random_state": 0}
    early, plain = (
        NumpyMLPClassifier(**shared, max_iter=500, early_stopping=flag).fit(X, y)
        for flag in (True, False)
    )
    assert_array_equal(early.params_, plain.params_)
    theirs = MLPClassifier(**shared, max_iter=500, early_stopping=True).fit(X, y)
    assert_allclose(early.loss_, theirs.loss_, rtol=0.05)


@quiet
def test_lbfgs_has_no_patience():
    X, y = blobs()
    impatient, plain = (
        NumpyMLPClassifier(8, solver="lbfgs", max_iter=100, tol=1e-2, random_state=0, **settings)
        for settings in ({"n_iter_no_change": 1}, {})
    )
    assert impatient.fit(X, y).loss_curve_ == plain.fit(X, y).loss_curve_
    steps = -np.diff(plain.loss_curve_)
    assert steps.min() < 1e-2


@quiet
def test_sparse_rows_are_converted_in_minibatches_only():
    n, n_features = 1000, 20_000
    X = sparse.random(n, n_features, 1e-4, format="csr", random_state=0, dtype=np.float32)
    y = np.arange(n) % 2
    tracemalloc.start()
    model = NumpyMLPClassifier(4, max_iter=2).fit(X, y)
    model.predict(X.tocsc())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < n * n_features * 4 / 10


@quiet
def test_early_stopping_keeps_the_best_epoch_of_lbfgs_with_validation_data():
    X, y = blobs(200)
    X_train, X_val, y_train, y_val = train_test_split(X, y, random_state=0)
    model = NumpyMLPClassifier(
        32,
        solver="lbfgs",
        early_stopping=True,
        scoring="loss",
        max_iter=300,
        tol=1e-6,
        random_state=0,
    ).fit(X_train, y_train, X_val=X_val, y_val=y_val)
    assert model.n_iter_ < 300
    assert_allclose(
        log_loss(y_val, model.predict_proba(X_val)),
        min(model.history_["validation_loss"]),
        rtol=1e-6,
    )
