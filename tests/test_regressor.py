"""`NumpyMLPRegressor`: scikit-learn's numbers, units of y, losses, and what it shares."""

import pickle
import re
from functools import partial

import numpy as np
import pytest
import skops.io as skops
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.metrics import d2_pinball_score, r2_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknumpynet import Checkpoint, NumericalEncoder, NumpyMLPRegressor
from sknumpynet.data.numbers import NumberTargets

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, y = make_friedman1(600, noise=0.5, random_state=0)
X = StandardScaler().fit_transform(X)
X_train, X_test, y_train, y_test = X[:400], X[400:], y[:400], y[400:]


def quick(**settings):
    return NumpyMLPRegressor(
        **{"hidden_layer_sizes": 16, "effort": 0.2, "random_state": 0} | settings
    )


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_the_sklearn_preset_has_scikit_learns_numbers(solver, loss, outputs):
    Y = y_train / 10 if outputs == 1 else np.column_stack([y_train / 10, y_train**2 / 200])
    settings = {"solver": solver, "max_iter": 10, "random_state": 1}
    peer = MLPRegressor(**settings)
    if loss != "squared_error":
        if "loss" not in peer.get_params():
            pytest.skip("MLPRegressor has other losses from scikit-learn 1.7 on")
        peer.set_params(loss=loss)
    theirs = peer.fit(X_train, Y)
    ours = NumpyMLPRegressor(loss, preset="sklearn", **settings).fit(X_train, Y)
    if solver != "lbfgs":
        assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-9)
    assert_allclose(ours.loss_, theirs.loss_, rtol=1e-9)
    assert_allclose(ours.predict(X_test), theirs.predict(X_test), rtol=1e-9, atol=1e-9)
    for W, expected in zip(ours.coefs_, theirs.coefs_, strict=True):
        assert_allclose(W, expected, rtol=1e-7, atol=1e-9)


def test_early_stopping_of_the_sklearn_preset_has_scikit_learns_scores():
    settings = {"early_stopping": True, "max_iter": 40, "random_state": 0}
    theirs = MLPRegressor(**settings).fit(X_train, y_train)
    ours = NumpyMLPRegressor(preset="sklearn", **settings).fit(X_train, y_train)
    assert len(ours.validation_scores_) == len(theirs.validation_scores_)
    assert abs(ours.score(X_test, y_test) - theirs.score(X_test, y_test)) < 0.3


def test_the_defaults_beat_scikit_learns_on_scaled_numbers():
    peer = TransformedTargetRegressor(MLPRegressor(random_state=0), transformer=StandardScaler())
    theirs = peer.fit(X_train, y_train).score(X_test, y_test)
    assert 1 - NumpyMLPRegressor(random_state=0).fit(X_train, y_train).score(
        X_test, y_test
    ) < 0.8 * (1 - theirs)


@pytest.mark.parametrize("scale", [1e-250, 1e-9, 1e9, 1e250])
@pytest.mark.parametrize("offset", [0, -5, 1e6])
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "quantile"])
def test_the_units_of_y_do_not_matter(loss, scale, offset):
    expected = quick(loss=loss, dtype="float64").fit(X_train, y_train).predict(X_test)
    moved = quick(loss=loss, dtype="float64").fit(X_train, scale * (y_train + offset))
    assert_allclose(moved.predict(X_test) / scale - offset, expected, rtol=1e-4, atol=1e-4)


def test_the_unit_of_counts_does_not_matter():
    counts = np.random.RandomState(0).poisson(np.exp(y_train / 10))
    expected = quick(loss="poisson", dtype="float64").fit(X_train, counts).predict(X_test)
    predicted = quick(loss="poisson", dtype="float64").fit(X_train, 1e6 * counts).predict(X_test)
    assert_allclose(predicted / 1e6, expected, rtol=1e-6)
    assert (expected > 0).all()


def test_outputs_of_different_units_are_learnt_alike():
    Y = np.column_stack([y_train, 1e6 * y_train, -1e-6 * y_train])
    model = quick(effort=1.0).fit(X_train, Y)
    predicted = model.predict(X_test)
    assert predicted.shape == (200, 3)
    for k, factor in enumerate((1, 1e6, -1e-6)):
        residual = predicted[:, k] / factor - y_test
        assert np.var(residual) < 0.3 * np.var(y_test)


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_a_quantile_is_above_as_many_values_as_its_level_says(level):
    rng = np.random.RandomState(0)
    Z = rng.rand(12_000, 1)
    target = Z[:, 0] + (0.5 + Z[:, 0]) * rng.randn(12_000)
    model = NumpyMLPRegressor("quantile", 32, quantile=level, random_state=0)
    model.fit(Z[:2000], target[:2000])
    assert abs(np.mean(target[2000:] < model.predict(Z[2000:])) - level) < 0.04


def test_several_quantiles_do_not_cross_and_have_their_levels():
    rng = np.random.RandomState(0)
    Z = rng.rand(3000, 1)
    target = 1e6 * (Z[:, 0] + (0.5 + Z[:, 0]) * rng.randn(3000))
    levels = [0.1, 0.5, 0.9]
    model = NumpyMLPRegressor("quantile", 32, quantile=levels, random_state=0)
    predicted = model.fit(Z[:2000], target[:2000]).predict(Z[2000:])
    assert predicted.shape == (1000, 3)
    assert (np.diff(predicted, axis=1) >= 0).all()
    assert_allclose((target[2000:, None] < predicted).mean(axis=0), levels, atol=0.05)
    assert 0 < model.score(Z[2000:], target[2000:]) < 1
    again = pickle.loads(pickle.dumps(model)).partial_fit(Z[:100], target[:100])
    assert again.predict(Z).shape == (3000, 3)
    with pytest.raises(ValueError, match="several levels of quantile"):
        model.fit(Z, np.column_stack([target, target]))


@pytest.mark.parametrize("n", [150, 1000])
def test_intervals_hold_for_rows_that_were_not_trained_on(n):
    """Few rows are learnt nearly by heart, so that the intervals for these alone are too narrow."""
    within = []
    for seed in range(3):
        rng = np.random.RandomState(seed)
        Z = rng.randn(n + 2000, 8)
        target = Z[:, 0] + np.abs(Z[:, 1]) + (0.3 + 0.2 * np.abs(Z[:, 2])) * rng.randn(len(Z))
        model = NumpyMLPRegressor("quantile", quantile=[0.1, 0.9], random_state=seed)
        low, high = model.fit(Z[:n], target[:n]).predict(Z[n:]).T
        within.append(np.mean((low <= target[n:]) & (target[n:] <= high)))
    assert abs(np.mean(within) - 0.8) < 0.07


def test_the_score_is_that_of_the_fitted_levels():
    model = quick(loss="quantile", quantile=[0.1, 0.9]).fit(X_train, y_train)
    before = model.score(X_test, y_test)
    model.set_params(quantile=0.5)  # for another fit
    assert model.score(X_test, y_test) == before
    alone, listed = (
        quick(loss="quantile", quantile=level).fit(X_train, y_train).score(X_test, y_test)
        for level in (0.3, [0.3])
    )
    assert alone == listed


def test_quantiles_stop_early_by_their_own_loss():
    model = quick(loss="quantile", quantile=0.9, early_stopping=True, effort=1.0)
    model.fit(X_train, y_train, X_val=X_test, y_val=y_test)
    expected = d2_pinball_score(y_test, model.predict(X_test), alpha=0.9)
    assert_allclose(model.best_validation_score_, expected, atol=0.01)


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "quantile"])
@pytest.mark.parametrize("gross", [1e3, 1e9, 1e200])
def test_gross_errors_of_any_size_do_not_keep_from_learning(loss, gross):
    spoiled = 1e6 * (y_train + gross * (np.arange(400) % 100 == 7))
    model = NumpyMLPRegressor(loss, 32, random_state=0).fit(X_train, spoiled)
    assert r2_score(1e6 * y_test, model.predict(X_test)) > 0.8


@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e290])
def test_gross_errors_in_y_are_named_with_the_remedy(scale):
    spoiled = scale * np.where(np.arange(400) == 7, -1e7, y_train)
    with pytest.warns(UserWarning, match=r"y has the value -1e\S+, \S+ times .* loss='huber'"):
        quick().fit(X_train, spoiled)
    with pytest.warns(UserWarning, match="loss='huber'"):
        quick().fit(X_train, np.column_stack([y_train, spoiled]))
    with pytest.warns(UserWarning, match="inf times"):
        quick().fit(X_train, np.where(np.arange(400) == 7, 1e300, 1e-300 * y_train))
    for model in (quick(loss="huber"), quick(preset="sklearn", max_iter=300)):
        model.fit(X_train, spoiled if model.loss == "huber" else y_train)
    quick().fit(X_train, np.exp(y_train / 2))  # a long tail is none
    quick().fit(X_train, np.arange(400) == 7)  # nor are two values


def test_absolute_error_and_huber_are_not_moved_by_gross_errors():
    spoilt = y_train.copy()
    spoilt[::40] += 1000
    errors = {
        loss: np.median(
            np.abs(quick(loss=loss, effort=1.0).fit(X_train, spoilt).predict(X_test) - y_test)
        )
        for loss in ("squared_error", "absolute_error")
    }
    assert errors["absolute_error"] < 0.5 * errors["squared_error"]


@pytest.mark.parametrize("value", [0.0, 3.0, -1e9])
def test_a_constant_y_is_predicted(value):
    model = quick(effort=1.0).fit(X_train, np.full(400, value))
    assert_allclose(model.predict(X_test), value, rtol=1e-6, atol=0.2)


def test_a_row_of_weight_two_is_two_rows():
    weight = np.random.RandomState(0).randint(3, size=400)
    settings = {"solver": "lbfgs", "hidden_layer_sizes": (), "tol": 1e-10, "effort": 1.0}
    harmless = np.where(weight > 0, y_train, 1e300)
    weighted = quick(**settings).fit(X_train, harmless, weight)
    repeated = quick(**settings).fit(X_train.repeat(weight, axis=0), y_train.repeat(weight))
    assert_allclose(weighted.predict(X_test), repeated.predict(X_test), rtol=1e-6)


@pytest.mark.parametrize("settings", [{}, {"preset": "sklearn", "max_iter": 5}])
def test_streams_go_on_after_pickling(settings):
    first = quick(**settings).partial_fit(X_train[:200], y_train[:200])
    other = pickle.loads(pickle.dumps(first))
    for model in (first, other):
        model.partial_fit(X_train[200:], y_train[200:])
    assert_array_equal(first.predict(X_test), other.predict(X_test))
    assert first.n_iter_ == 2
    assert_array_equal(first.target_center_, other.target_center_)


def test_a_stream_that_begins_with_a_few_rows_is_warned_of():
    with pytest.warns(UserWarning, match="of the 3 rows of the first call .* at least 10"):
        model = quick().partial_fit(X_train[:3], y_train[:3])
    model.partial_fit(X_train[:3], y_train[:3])  # only once


def test_a_file_of_skops_needs_one_type():
    model = quick().fit(X_train, y_train)
    loaded = skops.loads(skops.dumps(model), trusted=["sknumpynet.regressor.NumpyMLPRegressor"])
    assert_array_equal(loaded.predict(X_test), model.predict(X_test))


def test_many_chunks_are_learnt():
    model = quick(hidden_layer_sizes=64)
    for _ in range(15):
        for chunk in np.array_split(np.arange(400), 4):
            model.partial_fit(X_train[chunk], y_train[chunk])
    assert model.score(X_test, y_test) > 0.7


def test_validation_data_are_measured_in_r2():
    model = quick(early_stopping=True).fit(X_train, y_train, X_val=X_test, y_val=y_test)
    assert_allclose(model.best_validation_score_, model.score(X_test, y_test), rtol=1e-5)
    other = quick(early_stopping=True, scoring="neg_mean_absolute_error")
    other.fit(X_train, y_train, X_val=X_test, y_val=y_test)
    error = np.abs(other.predict(X_test) - y_test).mean()
    assert_allclose(other.best_validation_score_, -error, rtol=1e-5)


def test_a_warm_start_goes_on():
    model = quick(warm_start=True, preset="sklearn", max_iter=3)
    n = len(model.fit(X_train, y_train).loss_curve_)
    model.fit(X_train, y_train)
    assert len(model.loss_curve_) == 2 * n
    with pytest.raises(ValueError, match=r"y of shape \(400, 2\) does not match"):
        model.fit(X_train, np.column_stack([y_train, y_train]))


@pytest.mark.parametrize("changed", [{"loss": "huber"}, {"quantile": 0.6}])
def test_a_network_that_is_trained_further_keeps_its_loss(changed):
    model = quick(loss="quantile", warm_start=True).fit(X_train, y_train)
    before = model.params_.copy()
    for method in (model.set_params(**changed).fit, model.partial_fit):
        with pytest.raises(ValueError, match=r"differs from the network's.*'quantile'"):
            method(X_train, y_train)
    assert_array_equal(model.params_, before)
    model.set_params(warm_start=False).fit(X_train, y_train)


def test_a_checkpoint_goes_on_with_the_same_bits(tmp_path):
    expected = quick().fit(X_train, y_train)
    model = quick().set_callbacks(Checkpoint(tmp_path / "run", every_epochs=1))
    model.fit(X_train, y_train)
    again = (
        quick().set_callbacks(Checkpoint(tmp_path / "run", every_epochs=1)).fit(X_train, y_train)
    )
    assert_array_equal(model.params_, expected.params_)
    assert_array_equal(again.params_, expected.params_)
    with pytest.raises(ValueError, match="another run, which differs in loss"):
        again.set_params(loss="huber").fit(X_train, y_train)


def test_sparse_and_small_dtypes_and_searches():
    dense = quick(dtype="float64").fit(X_train, y_train).predict(X_test)
    thin = quick(dtype="float64").fit(csr_array(X_train), y_train).predict(csr_array(X_test))
    assert_allclose(thin, dense, rtol=1e-6)
    pipeline = make_pipeline(NumericalEncoder(), quick())
    search = GridSearchCV(pipeline, {"numpymlpregressor__loss": ["squared_error", "huber"]}, cv=2)
    assert search.fit(X_train, y_train).score(X_test, y_test) > 0.5
    assert clone(quick(quantile=0.3)).quantile == 0.3


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["a"] * 400, "y is no array of numbers.*NumpyMLPClassifier"),
        (np.where(np.arange(400) == 3, np.nan, y_train), "y contains NaN"),
        (np.where(np.arange(400) == 3, np.inf, y_train), "y contains infinity"),
        (np.where(np.arange(400) % 2, np.inf, -np.inf), "y contains infinity"),
        (np.ma.array(y_train, mask=y_train > 10), "y has values that are masked: replace them"),
        (np.arange(400).astype("M8[D]"), r"y has values that are datetime64\[D\]: replace them"),
        ([10**400] * 400, "y is no array of numbers"),
        (np.zeros((400, 2, 2)), r"y of shape \(400, 2, 2\) is not accepted"),
        (y_train[:10], "inconsistent numbers of samples"),
    ],
)
def test_what_is_no_number_is_refused(wrong, message):
    model = quick()
    with pytest.raises(ValueError, match=message):
        model.fit(X_train, wrong)
    assert not hasattr(model, "params_")


def test_counts_must_not_be_negative():
    model = quick(loss="poisson")
    message = "out of the valid range of the loss 'poisson'"
    with pytest.raises(ValueError, match=f"y.* {message}: y holds -"):
        model.fit(X_train, y_train - 10)
    with pytest.raises(ValueError, match=f"y_val.* {message}: y_val holds -"):
        model.fit(X_train, y_train, X_val=X_test, y_val=-y_test)
    with pytest.raises(ValueError, match=f"sum of y is 0, {message}"):
        model.fit(X_train, np.arange(400) == 7, np.arange(400) != 7)
    model.partial_fit(X_train, y_train)
    with pytest.raises(ValueError, match=message):
        model.partial_fit(X_train, y_train - 10)


@pytest.mark.parametrize("preset", ["tuned", "sklearn"])
def test_an_output_may_have_no_counts(preset):
    model = quick(loss="poisson", preset=preset)
    predicted = model.fit(X_train, np.column_stack([y_train, 0 * y_train])).predict(X_test)
    assert predicted[:, 1].mean() < 0.5 * predicted[:, 0].mean()


def test_numbers_that_are_too_large_are_named():
    huge = 1e300 * y_train
    with pytest.raises(ValueError, match=r"y holds .*e\+301, too large for loss='squared"):
        quick(preset="sklearn").fit(X_train, huge)
    with pytest.raises(ValueError, match=r"y holds .*e\+308, too large .* divide y"):
        quick(loss="huber").fit(X_train, np.where(y_train > 10, 1.7e308, -1.7e308))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("loss", "mse"),
        ("quantile", 1.0),
        ("quantile", [0.9, 0.1]),
        ("quantile", []),
        ("huber_width", 0),
        ("scoring", "accuracy2"),
    ],
)
def test_a_bad_value_is_named(name, value):
    with pytest.raises(
        ValueError, match=re.escape(f"{name}={value!r} is not accepted: {name} must be")
    ):
        quick(**{name: value}).fit(X_train, y_train)


def test_real_data_with_nothing_but_the_defaults():
    Z, target = load_diabetes(return_X_y=True)
    parts = train_test_split(Z, target, random_state=0)
    model = make_pipeline(NumericalEncoder(), NumpyMLPRegressor(random_state=0))
    assert model.fit(parts[0], parts[2]).score(parts[1], parts[3]) > 0.3


@pytest.mark.parametrize("loss", ["absolute_error", "quantile"])
def test_the_best_constant_is_that_of_the_weighted_rows(loss):
    rng = np.random.RandomState(0)
    y, weight = rng.lognormal(size=101), rng.randint(1, 5, size=101)
    options = {"level": 0.9} if loss == "quantile" else {}
    make = partial(NumberTargets.of, loss=loss, options=options, standardised=False)
    weighted = make(y, weight[:, None].astype(float))
    repeated = make(np.repeat(y, weight), None)
    np.testing.assert_allclose(weighted.constant_loss, repeated.constant_loss, rtol=1e-12)
    assert weighted.constant_loss != make(y, None).constant_loss
