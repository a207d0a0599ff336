"""`max_time`, by a clock on which every minibatch takes one second and all else no time."""

import numpy as np
import pytest
from helpers import both
from sklearn.metrics import log_loss, mean_squared_error

from sknumpynet import NumpyMLPRegressor
from sknumpynet.core.network import Backprop


@pytest.fixture(autouse=True)
def minibatches_take_a_second(clock, monkeypatch):
    def backprop(self, batch, original=Backprop.__call__):
        clock.now += 1
        return original(self, batch)

    monkeypatch.setattr(Backprop, "__call__", backprop)


def noisy(n, noise, seed=0):
    """Return a rule of two of ten features, with that fraction of the labels drawn at random."""
    rng = np.random.RandomState(seed)
    X = rng.randn(n, 10)
    return X, np.where(rng.rand(n) < noise, rng.randint(2, size=n), X[:, 0] + X[:, 1] > 0)


CASES = {
    "pilot": {},
    "early stopping": {"early_stopping": True, "n_iter_no_change": np.inf},
    "sklearn": {"preset": "sklearn", "tol": 0, "learning_rate": "linear"},
    "sgd": {"solver": "sgd", "preset": "sklearn", "learning_rate": "cosine"},
}


@both
@pytest.mark.parametrize("max_time", [1e-9, 3, 40, 200])
@pytest.mark.parametrize("case", CASES)
def test_fit_ends_at_the_deadline_within_an_epoch_and_is_annealed(clock, case, max_time, Estimator):
    X, y = noisy(1000, 0.0)
    settings = {"hidden_layer_sizes": 8, "batch_size": 20, "random_state": 0, **CASES[case]}
    model = Estimator(max_time=max_time, **settings).fit(X, y)
    assert clock.now <= max(1, max_time) + (case == "pilot")  # at least one step for each phase
    assert clock.now >= max_time - 1
    assert model.settings_["max_iter"] > model.n_iter_
    if max_time >= 40:
        rates = np.array(model.history_["learning_rate"])
        assert rates[-1] < 0.05 * max(rates[-1], model.settings_["learning_rate_init"])


@both
def test_the_deadline_ends_an_epoch_whose_record_tells_what_was_seen(clock, Estimator):
    X, y = noisy(1000, 0.0)
    settings = {"hidden_layer_sizes": 8, "preset": "sklearn", "batch_size": 20}
    model = Estimator(max_time=70, **settings).fit(X, y)
    assert model.n_iter_ == 2
    assert model.t_ == 70 * 20
    assert model.history_["seconds"] == [50, 20]


@both
def test_without_a_limit_that_matters_nothing_changes(clock, Estimator):
    X, y = noisy(300, 0.0)
    settings = {"hidden_layer_sizes": 8, "max_iter": 20, "random_state": 0}
    plain, limited = (Estimator(max_time=seconds, **settings).fit(X, y) for seconds in (None, 1e9))
    assert np.array_equal(plain.params_, limited.params_)


@both
@pytest.mark.parametrize("noise", [0.0, 0.5, 0.9])
def test_more_time_is_never_clearly_worse(clock, noise, Estimator):
    X, y = noisy(600, noise)
    X_test, y_test = noisy(4000, noise, seed=1)
    losses = []
    for max_time in (10, 20, 40, 60, 80, 100, 120, 150, 200, 300, 500, 1e9):
        model = Estimator(hidden_layer_sizes=64, max_time=max_time, random_state=0).fit(X, y)
        if Estimator is NumpyMLPRegressor:  # the Brier score, which is at most 0.25 here
            losses.append(mean_squared_error(y_test, model.predict(X_test)))
        else:
            losses.append(log_loss(y_test, model.predict_proba(X_test)))
    best_so_far = np.minimum.accumulate(losses)
    assert (np.array(losses) < best_so_far + 0.05).all(), losses


@both
def test_lbfgs_ends_at_the_deadline_too(clock, Estimator):
    X, y = noisy(300, 0.5)
    settings = {"hidden_layer_sizes": 8, "solver": "lbfgs", "max_iter": 500}
    model = Estimator(max_time=30, **settings).fit(X, y)
    assert clock.now == 30
    assert 1 <= model.n_iter_ < 30
