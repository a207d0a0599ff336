"""Losses for numbers: values, gradients, and what minimises them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize_scalar
from sklearn._loss import loss as sklearn_losses

from sknumpynet.core.regression import NUMBER_LOSSES, Huber, PoissonDeviance, Quantile

N, K = 40, 3
OPTIONS = {"huber": {"width": 0.7}, "quantile": {"level": 0.8}}
SAME = {
    "squared_error": sklearn_losses.HalfSquaredError(),
    "absolute_error": sklearn_losses.AbsoluteError(),
    "huber": sklearn_losses.HuberLoss(delta=0.7),
    "quantile": sklearn_losses.PinballLoss(quantile=0.8),
    "poisson": sklearn_losses.HalfPoissonLoss(),
}


def make(name):
    return NUMBER_LOSSES[name](**OPTIONS.get(name, {}))


def problem(seed=0):
    """Return outputs (n, k), and counts as targets, some of them 0."""
    rng = np.random.RandomState(seed)
    return rng.randn(N, K), rng.poisson(1.5, size=(N, K)).astype(float)


@pytest.mark.parametrize("name", NUMBER_LOSSES)
def test_value_and_gradient_are_those_of_scikit_learns_loss(name):
    z, y = problem()
    w = np.random.RandomState(1).rand(N, 1)
    theirs = SAME[name]
    value, slope = theirs.loss_gradient(y.ravel(), z.ravel())
    value += theirs.constant_to_optimal_zero(y.ravel())
    value, slope = value.reshape(N, K), slope.reshape(N, K)
    of_row = value.sum(axis=1) if name == "poisson" else value.mean(axis=1)
    ours, grad = make(name).value_and_grad(z.copy(), y, w)
    assert_allclose(ours, np.sum(w[:, 0] * of_row))
    assert_allclose(grad, w * slope, atol=1e-15)
    assert_allclose(make(name).losses(z, y), of_row)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NUMBER_LOSSES)
def test_the_gradient_overwrites_the_outputs_in_their_dtype(name, dtype):
    z, y = problem()
    z = z.astype(dtype)
    _, grad = make(name).value_and_grad(z, y, 1 / N)
    assert grad is z
    assert grad.dtype == dtype


@pytest.mark.parametrize("name", NUMBER_LOSSES)
def test_a_perfect_fit_has_loss_0(name):
    y = problem()[1] + 1
    z = np.log(y) if name == "poisson" else y.copy()
    assert_allclose(make(name).losses(z, y), 0, atol=1e-14)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("squared_error", np.mean),
        ("absolute_error", np.median),
        ("quantile", lambda y: np.quantile(y, 0.8)),
        ("poisson", lambda y: np.log(np.mean(y))),
    ],
)
def test_the_best_constant_is_the_statistic_that_is_predicted(name, expected):
    y = np.random.RandomState(0).gamma(2.0, size=(2001, 1))
    loss = make(name)
    best = minimize_scalar(lambda c: loss.losses(np.full_like(y, c), y).mean(), (0, 3), tol=1e-9).x
    assert_allclose(best, expected(y), atol=2e-3)


def test_a_wide_huber_loss_is_the_squared_error_and_a_narrow_one_the_absolute_error():
    z, y = problem()
    wide, narrow = Huber(1e6), Huber(1e-6)
    assert_allclose(wide.losses(z, y), make("squared_error").losses(z, y))
    assert_allclose(narrow.losses(z, y) / 1e-6, make("absolute_error").losses(z, y), rtol=1e-5)


def test_the_quantile_loss_of_one_half_is_half_the_absolute_error():
    z, y = problem()
    assert_allclose(2 * Quantile(0.5).losses(z, y), make("absolute_error").losses(z, y))


def test_the_outputs_of_poisson_are_logarithms():
    z, _ = problem()
    assert_allclose(PoissonDeviance().predict(z), np.exp(z))


@pytest.mark.parametrize("weighted", [False, True])
def test_shifted_quantiles_have_the_right_fraction_below_them(weighted):
    rng = np.random.RandomState(0)
    z, y, levels = rng.randn(4000, 3), rng.lognormal(size=(4000, 1)), [0.1, 0.5, 0.9]
    w = rng.rand(4000) if weighted else None
    shifted = z + Quantile(levels).shift(z, y, w)
    assert_allclose(np.average(y < shifted, axis=0, weights=w), levels, atol=1e-3)
    least = Quantile(levels).losses(shifted, y)
    for change in (-0.05, 0.05):  # no other shift has a smaller pinball loss
        assert np.average(Quantile(levels).losses(shifted + change, y), weights=w) > np.average(
            least, weights=w
        )
