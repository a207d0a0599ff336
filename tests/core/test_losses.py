"""Losses on logits: values, gradients, label smoothing, and the probabilities."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special

from sknumpynet.core.losses import (
    LOSSES,
    LogisticCrossEntropy,
    SoftmaxCrossEntropy,
    undo_smoothing,
)

N, K = 7, 4


def make_problem(name, seed=0):
    """Return logits (n, k), targets as the loss takes them, and targets as 0 and 1, (n, k)."""
    rng = np.random.RandomState(seed)
    z = 3 * rng.randn(N, K)
    if name == "softmax":
        y = rng.randint(K, size=N)
        return z, y, np.eye(K)[y]
    y = rng.randint(2, size=(N, K))
    return z, y, y.astype(float)


def distributions(name, p):
    """Return p (n, k) as distributions over the last axis: (n, k), or (n, k, 2) for yes and no."""
    return p if name == "softmax" else np.stack([p, 1 - p], axis=-1)


def smooth(name, targets, e):
    return (1 - e) * targets + e / (K if name == "softmax" else 2)


@pytest.mark.parametrize("e", [0.0, 0.1, 0.9])
@pytest.mark.parametrize("name", LOSSES)
def test_value_is_the_divergence_from_smoothed_target_to_prediction(name, e):
    z, y, targets = make_problem(name)
    p = special.softmax(z, axis=1) if name == "softmax" else special.expit(z)
    target = smooth(name, targets, e)
    w = np.random.RandomState(1).rand(N, 1 if name == "softmax" else K)
    divergence = special.rel_entr(distributions(name, target), distributions(name, p)).sum(axis=-1)
    value, grad = LOSSES[name](e).value_and_grad(z, y, w)
    assert_allclose(value, np.sum(w.reshape(divergence.shape) * divergence), rtol=1e-10)
    assert_allclose(grad, w * (p - target), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("e", [0.1, 0.9])
@pytest.mark.parametrize("name", LOSSES)
def test_value_and_gradient_are_0_at_the_best_logits(name, e):
    _, y, targets = make_problem(name)
    target = smooth(name, targets, e)
    best = np.log(target) if name == "softmax" else special.logit(target)
    value, grad = LOSSES[name](e).value_and_grad(best, y, 1.0)
    assert_allclose(value, 0, atol=1e-13)
    assert_allclose(grad, 0, atol=1e-15)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("e", [0.0, 0.1])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_huge_logits_give_finite_numbers_of_the_same_dtype(name, e, dtype):
    z = np.array([[1e4, -1e4, 0.0]] * 2, dtype)
    y = np.array([1, 0]) if name == "softmax" else np.array([[0, 1, 1], [1, 0, 0]], np.uint8)
    loss = LOSSES[name](e)
    log_p = loss.log_proba(z.copy())
    value, grad = loss.value_and_grad(z, y, 0.5)
    assert np.isfinite(log_p).all()
    assert log_p.dtype == grad.dtype == dtype
    assert grad is z
    assert np.abs(grad).max() <= 0.5
    # Errors of 2e4 in all, in logits, with weight 0.5; smoothing moves cost between the two rows.
    assert_allclose(value, 1e4, rtol=1e-3)


def test_equal_logits_of_k_classes_cost_log_k():
    value, grad = SoftmaxCrossEntropy().value_and_grad(np.zeros((2, 4)), np.array([0, 3]), 0.5)
    assert_allclose(value, np.log(4))
    assert_allclose(grad, 0.5 * (0.25 - np.eye(4)[[0, 3]]))


@pytest.mark.parametrize("e", [0.0, 0.3])
def test_softmax_of_a_single_class_has_loss_0_and_gradient_0(e):
    z = np.array([[3.0], [-50.0]])
    value, grad = SoftmaxCrossEntropy(e).value_and_grad(z, np.array([0, 0]), 0.5)
    assert value == 0
    assert_array_equal(grad, 0)


@pytest.mark.parametrize("e", [0.0, 0.3])
def test_two_classes_cost_the_same_by_softmax_and_by_one_logit(e):
    rng = np.random.RandomState(1)
    z, y = rng.randn(9, 1), rng.randint(2, size=9)
    both = np.hstack([0 * z, z])
    log_p = LogisticCrossEntropy(e).log_proba(z.copy())
    assert_allclose(log_p[:, 0], SoftmaxCrossEntropy(e).log_proba(both.copy())[:, 1])
    one, grad_one = LogisticCrossEntropy(e).value_and_grad(z, y[:, None], 1 / 9)
    two, grad_two = SoftmaxCrossEntropy(e).value_and_grad(both, y, 1 / 9)
    assert_allclose(one, two)
    assert_allclose(grad_one[:, 0], grad_two[:, 1])


@pytest.mark.parametrize("e", [0.0, 0.3])
@pytest.mark.parametrize("name", LOSSES)
def test_log_probabilities_predictions_and_losses_of_rows_agree(name, e):
    z, y, targets = make_problem(name)
    loss = LOSSES[name](e)
    p = np.exp(loss.log_proba(z.copy()))
    if name == "softmax":
        assert_allclose(p.sum(axis=1), 1)
        assert_array_equal(loss.predict(z), p.argmax(axis=1))
    else:
        assert_allclose(p + np.exp(loss.log_proba(-z)), 1)
        assert_array_equal(loss.predict(z), p > 0.5)
    true = distributions(name, targets).reshape(N, -1)
    logs = np.log(distributions(name, p)).reshape(N, -1)
    assert_allclose(loss.losses(z.copy(), y), -(true * logs).sum(axis=1))


@pytest.mark.parametrize("name", LOSSES)
def test_of_equally_probable_answers_the_first_is_predicted(name):
    assert not LOSSES[name]().predict(np.zeros((2, K))).any()


@pytest.mark.parametrize("e", [0.05, 0.3])
def test_smoothing_is_undone_up_to_a_small_bounded_error(e):
    p = np.array([[0.7, 0.2, 0.1], [1.0, 0.0, 0.0]])
    k = p.shape[1]
    q = (1 - e) * p + e / k
    assert_allclose(undo_smoothing(q, e), p, atol=0.02 * e)
    # The error is the second term, whose sum is 0.02 e.
    assert_allclose(undo_smoothing(q, e), (p + 0.01 * e * (q + 1 / k)) / (1 + 0.02 * e))
    # Answers below e / k would all get the probability 0, but keep their order.
    q = np.array([[1 - 0.3 * e, 0.2 * e, 0.1 * e]])
    unsmoothed = undo_smoothing(q, e)
    assert (np.diff(unsmoothed) < 0).all()
    assert unsmoothed.min() > 0
    assert_allclose(unsmoothed.sum(), 1)


@pytest.mark.parametrize("e", [0.0, 0.1])
@pytest.mark.parametrize("name", LOSSES)
def test_temperature_takes_a_root_of_the_probabilities(name, e):
    z, y, _ = make_problem(name)
    p = distributions(name, np.exp(LOSSES[name](e).log_proba(z.copy())))
    for temperature in (0.5, 1.0, 2.0, 3.0):
        loss = LOSSES[name](e, temperature)
        expected = p ** (1 / temperature)
        expected /= expected.sum(axis=-1, keepdims=True)
        scaled = distributions(name, np.exp(loss.log_proba(z.copy())))
        assert_allclose(scaled, expected, rtol=1e-9)
        # Training does not see it.
        value = loss.value_and_grad(z.copy(), y, 1.0)[0]
        assert value == LOSSES[name](e).value_and_grad(z.copy(), y, 1.0)[0]
