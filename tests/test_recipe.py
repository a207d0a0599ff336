"""What 'auto' means, and the scout."""

import re
from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import csr_array
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from sknumpynet import NumpyMLPClassifier
from sknumpynet.losses import undo_smoothing
from sknumpynet.recipe import AUTO, FEW_ROWS, MAX_EPOCHS, MIN_EPOCHS, settle
from sknumpynet.scout import has_turned_up
from sknumpynet.targets import Data


def data(n, spread=30.0):
    """Return what the recipe asks of a training set."""
    return SimpleNamespace(n=n, spread=spread)


@pytest.mark.parametrize("name", AUTO)
def test_auto_is_the_recipe_or_scikit_learns_value_and_a_value_is_itself(name):
    ours, theirs = AUTO[name]
    ours = ours(data(5000)) if callable(ours) else ours
    whole = settle(NumpyMLPClassifier(), data(5000))
    assert getattr(whole, name) == ours
    for model, given in [
        (NumpyMLPClassifier(max_iter=7), data(5000)),
        (NumpyMLPClassifier(solver="lbfgs"), data(5000)),
        (NumpyMLPClassifier(), None),
    ]:
        assert getattr(settle(model, given), name) == theirs
    for model in (NumpyMLPClassifier(**{name: theirs}), NumpyMLPClassifier(**{name: ours})):
        assert getattr(settle(model, data(5000)), name) == getattr(model, name)
    assert getattr(NumpyMLPClassifier(), name) == "auto"


def test_settling_leaves_the_model_alone():
    model = NumpyMLPClassifier()
    before = model.get_params()
    settle(model, data(1000))
    assert model.get_params() == before


@pytest.mark.parametrize("n", [10, 500, 5000, 60_000, 10**7])
def test_epochs_stay_in_their_bounds_and_never_grow_with_n(n):
    epochs = settle(NumpyMLPClassifier(), data(n)).max_iter
    assert MIN_EPOCHS <= epochs <= MAX_EPOCHS
    assert settle(NumpyMLPClassifier(), data(2 * n)).max_iter <= epochs


def test_few_or_small_features_learn_faster_within_bounds():
    spreads = 0.0, 0.1, 2.0, 12.5, 50.0, 784.0, np.inf
    settled = [settle(NumpyMLPClassifier(), data(500, spread)) for spread in spreads]
    assert [settings.first_layer_factor for settings in settled] == [16, 16, 5, 2, 1, 1, 1]


def test_the_spread_is_the_variances_together_and_a_row_of_weight_two_is_two_rows():
    rng = np.random.RandomState(0)
    X = rng.randn(40, 3).astype(np.float32) * [1, 10, 0] + 100
    count = rng.randint(3, size=40)
    for X_, weight in ((np.repeat(X, count, axis=0), None), (X, count[:, None].astype(float))):
        given = Data(X_, None, None, weight)
        assert_allclose(given.spread, np.cov(X.T, fweights=count, ddof=0).trace(), rtol=1e-6)
    assert Data(csr_array(X), None, None, None).spread == np.inf
    large = rng.randn(20_000, 60)
    assert_allclose(Data(large, None, None, None).spread, 60, rtol=0.02)


def test_nothing_is_left_to_chance_on_few_rows():
    assert settle(NumpyMLPClassifier(), data(FEW_ROWS - 1)).dropout == 0
    assert settle(NumpyMLPClassifier(), data(FEW_ROWS)).dropout > 0


def noisy(n, part, seed=0):
    """Return a rule of two of ten features, with that part of the labels drawn by lot."""
    rng = np.random.RandomState(seed)
    X = rng.randn(n, 10)
    return X, np.where(rng.rand(n) < part, rng.randint(2, size=n), X[:, 0] + X[:, 1] > 0)


@pytest.mark.parametrize(("part", "most"), [(0.6, 1 / 2), (1.0, 1 / 5)])
def test_training_starts_again_and_is_short_where_labels_are_noise(part, most):
    X, y = noisy(600, part)
    model = NumpyMLPClassifier(64, random_state=0).fit(X, y)
    assert model.n_iter_ == len(model.loss_curve_) < settle(model, data(600)).max_iter * most
    assert model.t_ == 600 * model.n_iter_
    assert np.isnan(model.history_["validation_loss"]).all()


def test_training_goes_on_with_all_rows_where_labels_are_clean():
    X, y = noisy(600, 0.0)
    model = NumpyMLPClassifier(64, random_state=0).fit(X, y)
    budget = settle(model, data(600)).max_iter
    assert model.n_iter_ == len(model.loss_curve_) == budget + budget / 4
    assert model.t_ == (480 + 600 / 4) * budget
    held_out = np.isfinite(model.history_["validation_loss"])
    assert held_out[:budget].all()
    assert not held_out[budget:].any()
    rates = model.history_["learning_rate"]
    assert_allclose(max(rates[budget:]), max(rates[:budget]) / 2, rtol=1e-3)
    assert model.best_loss_ == min(model.loss_curve_)
    assert model.validation_scores_ is None
    assert model.best_validation_score_ is None


def test_a_loss_has_turned_up_if_it_stays_well_above_its_least():
    falls = list(np.linspace(1, 0.5, 20))
    assert not has_turned_up(falls)
    assert not has_turned_up(falls + [0.5] * 40)
    assert not has_turned_up(falls + [0.6] * 10)
    assert has_turned_up(falls + [0.6] * 40)
    # What comes back to where it was, as at the end of a cycle, is forgiven.
    assert not has_turned_up(falls + [0.6] * 20 + [0.5] * 20)


def test_the_time_of_the_first_training_is_part_of_max_time(monkeypatch):
    ticks = count()
    for module in ("scout", "monitor"):
        monkeypatch.setattr(f"sknumpynet.{module}.perf_counter", lambda: float(next(ticks)))
    X, y = noisy(200, 0.0)
    whole = NumpyMLPClassifier(8, max_time=1e6, random_state=0).fit(X, y)
    budget = settle(whole, data(200)).max_iter
    assert whole.n_iter_ == 1.25 * budget
    some = NumpyMLPClassifier(8, max_time=budget / 2, random_state=0).fit(X, y)
    assert budget / 2 - 3 < some.n_iter_ < budget / 2 + 3
    more = NumpyMLPClassifier(8, max_time=1.1 * budget, random_state=0).fit(X, y)
    assert 1.1 * budget - 6 < more.n_iter_ < 1.1 * budget + 6


def test_no_scout_goes_where_the_user_watches_or_counts():
    rng = np.random.RandomState(0)
    X, y = rng.randn(300, 5), rng.randint(2, size=300)
    watched = NumpyMLPClassifier(16, random_state=0).fit(X, y, X_val=X[:50], y_val=y[:50])
    assert watched.n_iter_ == settle(watched, data(300)).max_iter
    counted = NumpyMLPClassifier(16, max_iter=30, n_iter_no_change=np.inf, learning_rate="linear")
    assert counted.fit(X, y).n_iter_ == 30


def test_the_recipe_is_repeatable_and_says_that_it_starts_again(capsys):
    for part, times in ((0.0, 0), (1.0, 1)):
        X, y = noisy(300, part)
        outputs, models = [], []
        for _ in range(2):
            models.append(NumpyMLPClassifier(16, random_state=0, verbose=True).fit(X, y))
            outputs.append(re.sub(r", [0-9.]+ s\n", "\n", capsys.readouterr().out))
        assert models[0].loss_curve_ == models[1].loss_curve_
        assert outputs[0] == outputs[1]
        assert outputs[0].count("Iteration 1,") == 1 + times
        assert outputs[0].count("Starting again") == times


def test_fit_may_be_followed_by_partial_fit():
    rng = np.random.RandomState(0)
    X, y = rng.randn(300, 5), rng.randint(3, size=300)
    model = NumpyMLPClassifier(random_state=0).fit(X, y)
    epochs = model.n_iter_
    assert model.partial_fit(X, y).n_iter_ == epochs + 1
    assert model._sizes == [5, 256, 256, 3]
    assert model._smoothing == AUTO["label_smoothing"][0]


def test_partial_fit_after_the_recipe_trains_the_network_that_predicts():
    rng = np.random.RandomState(0)
    X, y = rng.randn(300, 5), rng.randint(3, size=300)
    model = NumpyMLPClassifier(random_state=0, alpha=0.0, label_smoothing=0.0).fit(X, y)
    assert model._activation == "gelu"
    # With a learning rate of nearly 0 the loss of the pass is that of the model.
    model.set_params(learning_rate_init=1e-30).partial_fit(X, y)
    assert_allclose(model.loss_, log_loss(y, model.predict_proba(X)), rtol=1e-5)


def test_rows_of_weight_zero_are_neither_scouted_nor_held_out():
    rng = np.random.RandomState(0)
    X, y = rng.randn(600, 5), rng.randint(2, size=600)
    weight = (np.arange(600) < 300).astype(float)
    settings = {"hidden_layer_sizes": 8, "random_state": 0}
    for extra in ({}, {"early_stopping": True}):
        model = NumpyMLPClassifier(**settings, **extra).fit(X, y, weight)
        assert np.isfinite(model.loss_)
    assert model.t_ == 270 * model.n_iter_


@pytest.mark.parametrize("e", [0.05, 0.3])
def test_smoothing_is_undone_but_for_a_bounded_rest(e):
    p = np.array([[0.7, 0.2, 0.1], [1.0, 0.0, 0.0]])
    k = p.shape[1]
    q = (1 - e) * p + e / k
    assert_allclose(undo_smoothing(q, e), p, atol=0.02 * e)
    # The order of answers is kept also where smoothing leaves no room for them.
    q = np.array([[0.9, 0.07, 0.03]]) if e == 0.3 else np.array([[0.99, 0.007, 0.003]])
    assert (np.diff(undo_smoothing(q, e)) < 0).all()


def test_probabilities_of_the_recipe_beat_the_base_rate_on_noise():
    rng = np.random.RandomState(0)
    X = rng.randn(1200, 8)
    y = (rng.rand(1200) < 1 / (1 + np.exp(-X[:, 0]))).astype(int)
    X, X_test, y, y_test = train_test_split(X, y, random_state=0)
    proba = NumpyMLPClassifier(random_state=0).fit(X, y).predict_proba(X_test)
    best = log_loss(y_test, 1 / (1 + np.exp(-X_test[:, 0])))
    assert log_loss(y_test, proba) < best + 0.08
