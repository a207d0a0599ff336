"""The validation split, and the scores of what it holds out."""

import subprocess
import sys
from math import exp
from pathlib import Path

import numpy as np
import pytest
from helpers import both, labelled, numbered, target
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.metrics import get_scorer_names, log_loss, mean_squared_error

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor
from sknumpynet.data.split import duplicates, split
from sknumpynet.fit.attributes import network_of
from sknumpynet.fit.validation import LOG_DISTANCE, LOG_TEMPERATURE, ValidationSet

of_either = pytest.mark.parametrize("data_of", [labelled, numbered])


def parity(copies):
    """Return all binary rows of three features, `copies` times, and their parity."""
    X = np.array([[i >> j & 1 for j in range(3)] for i in range(8)] * copies)
    return X, X.sum(axis=1) % 2


def noisy_levels(n, seed):
    """Return a one-hot feature of 20 levels, whose labels have P(y = 1) of 0.2 or 0.8."""
    rng = np.random.RandomState(seed)
    level = rng.randint(20, size=n)
    return np.eye(20)[level], (rng.rand(n) < np.where(level % 2, 0.8, 0.2)).astype(int)


@of_either
@pytest.mark.parametrize("copies", [1, 2, 4, 5, 20])
def test_copies_of_a_row_stay_on_one_side(copies, data_of):
    rng = np.random.RandomState(0)
    X, y = rng.randn(50, 3), np.arange(50) % 2
    order = rng.permutation(50 * copies) % 50
    train, held_out = split(data_of(X[order], y[order]), 0.2, rng)
    assert not set(order[train]) & set(order[held_out])
    assert sorted([*train, *held_out]) == list(range(50 * copies))
    assert len(held_out) == 10 * copies


@of_either
def test_rows_that_few_discrete_features_make_equal_are_split_as_different_ones(data_of):
    X, y = parity(50)
    train, held_out = split(data_of(X, y), 0.2, np.random.RandomState(0))
    assert len(held_out) == 80
    assert len(np.unique(X[train], axis=0)) == len(np.unique(X[held_out], axis=0)) == 8


@pytest.mark.parametrize("copies", ["five of each", "a bootstrap sample", "weights"])
def test_labels_of_copies_are_not_learnt_by_heart(copies):
    """Of which 30 % are wrong, so that who trusts the copies is far too sure."""
    rng = np.random.RandomState(0)
    X = rng.randn(2150, 8)
    y = (X[:, 0] > 0) ^ (rng.rand(2150) < 0.3)
    n = {"five of each": np.arange(750) % 150, "a bootstrap sample": rng.randint(150, size=1500)}
    rows, weight = n.get(copies, np.arange(150)), np.full(150, 5) if copies == "weights" else None
    model = NumpyMLPClassifier(random_state=0).fit(X[rows], y[rows], weight)
    assert log_loss(y[150:], model.predict_proba(X[150:])) < 0.75


@both
@pytest.mark.parametrize("settings", [{}, {"early_stopping": True}])
def test_few_distinct_rows_can_be_learnt(settings, Estimator):
    least = 0.999 if Estimator is NumpyMLPRegressor else 1
    X, y = parity(50)
    assert Estimator(random_state=0, **settings).fit(X, y).score(X, y) >= least
    X, y = np.tile([[0, 0], [0, 1], [1, 0], [1, 1]], (30, 1)), np.tile([0, 1, 1, 0], 30)
    assert Estimator(random_state=0, **settings).fit(X, y).score(X, y) >= least


def test_noisy_labels_of_discrete_features_are_split_without_bias():
    for seed in range(4):
        X, y = noisy_levels(2000, seed)
        model = NumpyMLPClassifier(32, early_stopping=True, max_iter=20, random_state=seed)
        assert model.fit(X, y).best_validation_score_ > 0.7
        X_test, y_test = noisy_levels(4000, 100 + seed)
        assert model.score(X_test, y_test) > 0.78


@of_either
def test_rows_of_weight_zero_are_on_neither_side(data_of):
    X, y = np.random.RandomState(0).randn(40, 2), np.arange(40) % 2
    weight = (np.arange(40) < 30).astype(float)
    train, held_out = split(data_of(X, y, weight), 0.2, np.random.RandomState(0))
    assert sorted([*train, *held_out]) == list(range(30))


@of_either
def test_a_row_of_weight_two_is_split_as_two_rows(data_of):
    rng = np.random.RandomState(0)
    X, y, count = rng.randn(60, 3), np.arange(60) % 3, rng.randint(3, size=60)
    weighted = split(data_of(X, y, count.astype(float)), 0.2, np.random.RandomState(1))
    order = np.repeat(np.arange(60), count)
    repeated = split(data_of(X[order], y[order]), 0.2, np.random.RandomState(1))
    for ours, theirs in zip(weighted, repeated, strict=True):
        assert_array_equal(np.unique(ours), np.unique(order[theirs]))


@pytest.mark.parametrize("convert", [np.float32, np.asfortranarray, sparse.csr_array, np.uint8])
def test_duplicates_are_equal_rows_in_the_order_of_first_copies(convert):
    X = np.random.RandomState(0).randint(3, size=(5000, 5)).astype(float)
    rows = np.arange(5000)[::-1]
    first, group = duplicates(convert(X), rows)
    assert_array_equal(X[rows][first][group], X[rows])
    assert len(first) == len(np.unique(X, axis=0))
    assert_array_equal(np.sort(first), first)
    if convert is not np.uint8:
        X[X == 0] = -0.0
        assert_array_equal(duplicates(convert(X), rows)[1], group)


def test_duplicates_know_a_sparse_row_however_it_is_stored():
    twice = sparse.csr_array(([1.0, 2.0, 3.0, 0.0, 3.0], [1, 0, 0, 2, 1], [0, 4, 5]), (2, 3))
    rows = np.arange(3)
    X = sparse.vstack([twice, sparse.csr_array([[5.0, 1.0, 0.0]])], format="csr")
    first, group = duplicates(X, rows)
    assert_array_equal(first, [0, 1])
    assert_array_equal(group, [0, 1, 0])
    assert X.nnz == 7  # which is not changed


def test_the_split_is_the_same_in_every_process():
    code = (
        "import numpy as np; from sknumpynet.data.split import split; from helpers import labelled;"
        "data = labelled(np.arange(60.0).reshape(30, 2), np.arange(30));"
        "print(split(data, 0.2, np.random.RandomState(0))[1])"
    )
    command, here = [sys.executable, "-c", code], Path(__file__).parent
    outputs = {subprocess.check_output(command, cwd=here) for _ in range(2)}
    assert len(outputs) == 1


CLASSIFICATION = (
    "accuracy",
    "loss",
    "roc_auc",
    "f1",
    "rand_score",
    "neg_log_loss",
    "d2_log_loss_score",
    "callable",
    "callable with weights",
)
REGRESSION = "r2", "loss", "neg_mean_absolute_error", "neg_root_mean_squared_error", "callable"
SCORINGS = [(NumpyMLPClassifier, scoring) for scoring in CLASSIFICATION]
SCORINGS += [(NumpyMLPRegressor, scoring) for scoring in (*REGRESSION, "callable with weights")]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("Estimator", "scoring"), SCORINGS)
def test_every_scorer_works_with_and_without_weights(Estimator, scoring, weighted):
    if scoring not in ("loss", *get_scorer_names()) and not scoring.startswith("callable"):
        pytest.skip(f"this scikit-learn has no scorer {scoring!r}")
    seen = []

    def plain(estimator, X, y):
        return estimator.score(X, y)

    def with_weights(estimator, X, y, sample_weight=None):
        seen.append(sample_weight)
        return estimator.score(X, y, sample_weight)

    scoring = {"callable": plain, "callable with weights": with_weights}.get(scoring, scoring)
    rng = np.random.RandomState(0)
    X = rng.randn(200, 3)
    y = target(Estimator, X)
    weight = rng.rand(200) + 0.1 if weighted else None
    settings = {"hidden_layer_sizes": 8, "early_stopping": True, "max_iter": 3, "random_state": 0}
    model = Estimator(scoring=scoring, **settings)
    model.fit(X, y, weight, X_val=X, y_val=y, sample_weight_val=weight)
    assert np.isfinite(model.validation_scores_).all()
    if scoring in ("accuracy", "r2"):
        assert_allclose(model.best_validation_score_, model.score(X, y, weight))
    best = int(np.argmax(model.validation_scores_))
    if Estimator is NumpyMLPRegressor:
        errors = mean_squared_error(y, model.predict(X), sample_weight=weight)
        expected = errors / 2 / model.target_scale_[0] ** 2
    else:
        expected = log_loss(y, model.predict_proba(X), sample_weight=weight)
    assert_allclose(model.history_["validation_loss"][best], expected, rtol=1e-4)
    assert all((weights is not None) == weighted for weights in seen)


@pytest.mark.parametrize(
    ("Estimator", "scoring", "least", "most"),
    [
        (NumpyMLPClassifier, "accuracy", 0, 1),
        (NumpyMLPClassifier, "roc_auc", 0, 1),
        (NumpyMLPRegressor, "r2", -np.inf, 1),
        (NumpyMLPRegressor, "neg_mean_absolute_error", -np.inf, 0),
    ],
)
def test_the_pilot_run_records_the_score_that_was_asked_for(Estimator, scoring, least, most):
    X = np.random.RandomState(0).randn(200, 3)
    model = Estimator(hidden_layer_sizes=8, scoring=scoring, max_iter=5, random_state=0)
    history = model.fit(X, target(Estimator, X)).history_
    scores = np.array(history["validation_score"])[np.array(history["phase"]) == "pilot"]
    assert len(scores) == 4
    assert ((scores >= least) & (scores <= most)).all()


@both
def test_an_epoch_without_a_finite_score_is_not_chosen(digits, Estimator):
    X, y = digits
    scores = iter([np.nan, np.nan, 0.5, 0.9, np.nan, 0.7, np.inf])
    params = []

    def scoring(estimator, X, y):
        params.append(estimator.params_.copy())
        return next(scores)

    model = Estimator(hidden_layer_sizes=16, early_stopping=True, max_iter=7, random_state=0)
    model.set_params(scoring=scoring).fit(X, y)
    assert model.best_validation_score_ == 0.9
    assert_array_equal(model.params_, params[3])


def test_r2_of_one_row_is_undefined(digits):
    X, y = digits[0][:100], digits[1][:100]
    model = NumpyMLPRegressor(hidden_layer_sizes=8, max_iter=2).fit(X, y, X_val=X[:1], y_val=y[:1])
    assert np.isnan(model.history_["validation_score"]).all()
    assert np.isfinite(model.history_["validation_loss"]).all()
    with pytest.raises(ValueError, match=r"scoring='r2' gave no finite score"):
        model.set_params(early_stopping=True).fit(X, y, X_val=X[:1], y_val=y[:1])


@both
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_fit_without_any_finite_score_is_refused_and_changes_nothing(digits, solver, Estimator):
    X, y = digits[0][:300], digits[1][:300]
    settings = {"solver": solver, "random_state": 0, "max_iter": 5, "tol": 10.0}
    settings |= {"hidden_layer_sizes": 8, "early_stopping": True}
    model = Estimator(**settings, scoring=lambda *args: np.nan)
    for _ in range(2):
        before = dict(vars(model))
        with pytest.raises(ValueError, match=r"scoring=<function .* no finite score"):
            model.fit(X, y, X_val=X, y_val=y)
        assert vars(model).keys() == before.keys()
        assert all(vars(model)[name] is value for name, value in before.items())
        model.set_params(early_stopping=False).fit(X, y)
        model.set_params(early_stopping=True)


@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize("sharpened", [0.5, 1.0, 2.0])
def test_the_temperature_is_the_factor_that_is_on_the_logits(k, sharpened):
    # A network without hidden layers and with W = sharpened * I; labels are drawn from softmax(X).
    rng = np.random.RandomState(0)
    X = rng.randn(20_000, k)
    y = (X + rng.gumbel(size=X.shape)).argmax(axis=1)
    model = NumpyMLPClassifier((), max_iter=1, label_smoothing=0.0, dtype="float64").fit(X, y)
    weights = sharpened * (np.eye(k) if k > 2 else np.array([[-1], [1]]))
    params = np.append(weights, np.zeros(model.intercepts_[0].size))
    for n, tolerance in [(20_000, 0.05), (30, np.inf)]:
        held_out = labelled(X[:n], y[:n])
        validation = ValidationSet(held_out, network_of(vars(model)), model)
        outputs = validation.outputs(params)
        calibration, loss = validation.calibrate(outputs)
        temperature = calibration["temperature"]
        penalty = np.log1p((LOG_TEMPERATURE / LOG_DISTANCE) ** 2) / 2 / n  # of T = 1
        assert loss <= validation.measure(outputs)[0] + penalty
        assert abs(temperature / sharpened - 1) < tolerance


def test_the_pilot_run_calibrates_the_probabilities(digits):
    X, y = digits
    model = NumpyMLPClassifier(64, random_state=0).fit(X[:1200], y[:1200])
    calibrated = log_loss(y[1200:], model.predict_proba(X[1200:]))
    decision = model.decision_function(X[1200:])
    model.temperature_ = 1.0
    assert calibrated < 0.9 * log_loss(y[1200:], model.predict_proba(X[1200:]))
    assert_array_equal(model.decision_function(X[1200:]), decision)
    assert NumpyMLPClassifier(8, effort=0.01, early_stopping=True).fit(X, y).temperature_ == 1


def test_a_network_of_a_few_rows_is_not_taken_at_its_word():
    rng = np.random.RandomState(0)
    losses = []
    for seed in range(10):
        X = rng.randn(500, 4)
        y = X[:, 0] + rng.randn(500) > 0
        model = NumpyMLPClassifier(random_state=seed).fit(X[:12], y[:12])
        assert_allclose(model.temperature_, exp(LOG_TEMPERATURE))
        calibrated = log_loss(y[12:], model.predict_proba(X[12:]))
        model.temperature_ = 1.0
        losses.append([calibrated, log_loss(y[12:], model.predict_proba(X[12:]))])
    calibrated, uncalibrated = np.mean(losses, axis=0)
    assert calibrated < 0.9 * uncalibrated
    for settings in ({"preset": "sklearn", "max_iter": 1000}, {"solver": "lbfgs"}):
        model = NumpyMLPClassifier(random_state=0, **settings)
        assert model.fit(X[:12], y[:12]).temperature_ == 1
