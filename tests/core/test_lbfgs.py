"""L-BFGS: the minimum of a convex problem, why it ends, and the deadline."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression

from sknumpynet.core.activations import Tanh
from sknumpynet.core.lbfgs import Objective, fit_lbfgs
from sknumpynet.core.losses import LOSSES
from sknumpynet.core.network import Network, initialize, views
from sknumpynet.core.state import TrainingState
from sknumpynet.core.training import TrainingRun

N, FEATURES, OUTPUTS, ALPHA = 80, 4, 3, 2.0
# All that L-BFGS needs of a TrainingConfig.
CONFIG = {
    "solver": "lbfgs",
    "alpha": ALPHA,
    "batch_size": N,
    "dropout": (),
    "learning_rate": "constant",
    "learning_rate_init": 0.001,
    "max_iter": 500,
    "max_fun": 15000,
    "tol": 1e-7,
    "n_iter_no_change": np.inf,
}


def make_run(hidden=(), loss="softmax", **changes):
    rng = np.random.RandomState(0)
    X, y = rng.randn(N, FEATURES), rng.randint(OUTPUTS, size=N)
    y = y if loss == "softmax" else rng.randint(2, size=(N, OUTPUTS))
    network = Network((FEATURES, *hidden, OUTPUTS), Tanh, LOSSES[loss]())
    state = TrainingState(initialize(network, rng, "float64"), rng)
    data = SimpleNamespace(X=X, encoded=y, weight=None)
    return TrainingRun(network, data, SimpleNamespace(**CONFIG | changes), state)


def fit(run):
    return fit_lbfgs(run, lambda reason: reason)


@pytest.mark.parametrize("loss", LOSSES)
def test_without_hidden_layer_it_finds_the_minimum_of_logistic_regression(loss):
    run = make_run(loss=loss)
    X, y = run.minibatches.X, run.minibatches.y
    assert fit(run) == "converged"
    (W,), (b,) = views(run.state.params, (FEATURES, OUTPUTS))
    theirs = LogisticRegression(C=1 / ALPHA, solver="newton-cg", tol=1e-8)
    if loss == "softmax":
        coef, intercept = theirs.fit(X, y).coef_, theirs.intercept_
        b -= (b - intercept).mean()  # the softmax does not depend on the mean of the intercepts
    else:
        fits = [(theirs.fit(X, column).coef_[0], theirs.intercept_[0]) for column in y.T]
        coef, intercept = zip(*fits, strict=True)
    assert_allclose(W.T, coef, atol=1e-4)
    assert_allclose(b, intercept, atol=1e-4)


def test_at_convergence_the_gradient_is_below_tol_and_iterations_count_as_epochs():
    run = make_run((5,), tol=1e-3)
    assert fit(run) == "converged"
    state = run.state
    loss, grad = Objective(make_run((5,)), None).value_and_grad(state.params)
    assert np.abs(grad).max() <= 1e-3
    losses = state.history["loss"]
    assert len(losses) == state.n_iter > 5
    assert (np.diff(losses) < 0).all()
    assert_allclose(losses[-1], loss)
    assert state.samples_seen == state.n_iter * N


@pytest.mark.parametrize("batch_size", [1, 7, N])
def test_the_objective_is_that_of_all_rows_in_batches_of_any_size(batch_size):
    run = make_run((5,), alpha=0.3)
    whole = run.backprop(next(run.minibatches.epoch())), run.backprop.grad.copy()
    parts = Objective(make_run((5,), alpha=0.3, batch_size=batch_size), None)
    loss, grad = parts.value_and_grad(run.state.params)
    assert_allclose(loss, whole[0])
    assert_allclose(grad, whole[1], atol=1e-12)


def test_a_start_at_the_minimum_is_one_iteration():
    run = make_run()
    fit(run)
    again = make_run(tol=1e-5)
    again.state.params[:] = run.state.params
    assert fit(again) == "converged"
    assert again.state.n_iter == 1
    assert_array_equal(again.state.params, run.state.params)


@pytest.mark.parametrize("limit", [{"max_iter": 3}, {"max_fun": 5}])
def test_a_limit_on_iterations_or_evaluations_is_no_convergence(limit):
    run = make_run((5,), **limit)
    assert fit(run) is None
    assert run.state.n_iter == 3 if "max_iter" in limit else run.state.n_iter <= 5


def test_it_ends_when_the_observer_has_a_reason():
    run = make_run((5,))
    assert fit_lbfgs(run, lambda reason: "enough" if run.state.n_iter == 4 else reason) == "enough"
    assert run.state.n_iter == 4


class WatchedBackprop:
    """A Backprop that calls `watch` before each evaluation; `factor` multiplies its gradient."""

    def __init__(self, backprop, watch):
        self.backprop, self.watch, self.factor = backprop, watch, 1
        self.n_weights, self.alpha = backprop.n_weights, backprop.alpha
        backprop.alpha = 0.0

    def __call__(self, batch):
        self.watch()
        return self.backprop(batch)

    @property
    def grad(self):
        return self.factor * self.backprop.grad


def test_the_deadline_ends_within_an_iteration_and_leaves_the_last_iterate(clock):
    changes = {"hidden": (5,), "alpha": 0.0, "max_iter": 50}
    iterations, iterates = [], []
    run = make_run(**changes)
    run.backprop = WatchedBackprop(run.backprop, lambda: iterations.append(run.state.n_iter))
    fit_lbfgs(run, lambda reason: iterates.append(run.state.params.copy()))
    # The first evaluation that is followed by another one in the same iteration.
    index = next(i for i, (a, b) in enumerate(pairwise(iterations)) if a == b > 0)

    run, left = make_run(**changes), iter(range(index))
    run.budget.deadline = 10.0

    def watch():
        if next(left, None) is None:
            clock.now = 11.0

    run.backprop = WatchedBackprop(run.backprop, watch)
    assert fit(run) == "max_time is over"
    assert run.state.n_iter == iterations[index]
    assert_array_equal(run.state.params, iterates[iterations[index] - 1])


def test_a_line_search_that_fails_leaves_the_last_iterate():
    run, iterates, left = make_run((5,)), [], iter(range(12))

    def watch():
        if next(left, None) is None:  # from now on the slope is steep, and uphill
            run.backprop.factor = -1e12

    run.backprop = WatchedBackprop(run.backprop, watch)
    assert fit_lbfgs(run, lambda reason: iterates.append(run.state.params.copy())) is None
    assert len(iterates) > 5
    assert_array_equal(run.state.params, iterates[-1])


def test_a_deadline_that_has_passed_still_allows_one_iteration():
    run = make_run((5,))
    run.budget.deadline = -np.inf
    assert fit(run) == "max_time is over"
    assert run.state.n_iter == 1
