"""Activation functions: values, slopes, and the scale of their initialisation."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special

from sknumpynet.core.activations import ACTIVATIONS, SELU, glorot

VALUES = {
    "identity": lambda z: z,
    "relu": lambda z: np.where(z > 0, z, 0),
    "tanh": np.tanh,
    "logistic": special.expit,
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "selu": lambda z: 1.05070098 * np.where(z > 0, z, 1.67326324 * np.expm1(np.minimum(z, 0))),
    "silu": lambda z: z * special.expit(z),
    "gelu": lambda z: z * special.expit(2 * np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)),
}


def value_and_slope(name, z):
    """Return f(z), and the slope by which `backward` multiplies."""
    activation, a, grad = ACTIVATIONS[name], z.copy(), np.ones_like(z)
    slope = np.full_like(z, np.nan) if activation.keeps_slope else None
    activation.forward(a, slope)
    activation.backward(grad, a, slope)
    return a, grad


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_value_equals_the_formula_with_or_without_the_slope(name):
    z = np.array([[-800.0, -3.0, -1e-9, 0.0, 1e-9, 2.0, 800.0]])
    a, _ = value_and_slope(name, z)
    assert_allclose(a, VALUES[name](z), rtol=1e-7, atol=1e-15)
    ACTIVATIONS[name].forward(z)
    assert_array_equal(z, a)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slope_equals_the_derivative(name, dtype):
    z = np.linspace(-3, 3, 11).reshape(1, -1).astype(dtype) + np.asarray(0.1, dtype)
    _, slope = value_and_slope(name, z)
    h = 1e-6
    numeric = (VALUES[name](z.astype(float) + h) - VALUES[name](z.astype(float) - h)) / (2 * h)
    assert slope.dtype == dtype
    assert_allclose(slope, numeric, rtol=1e-4 if dtype == "float32" else 1e-7, atol=1e-6)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slope_of_large_values_is_that_of_the_asymptote(name):
    z = np.array([[-1e4, 1e4]], np.float32)
    _, slope = value_and_slope(name, z)
    ends = z.astype(float)
    assert_allclose(slope, VALUES[name](ends + 0.5) - VALUES[name](ends - 0.5), atol=1e-6)


@pytest.mark.parametrize("zero", [0.0, -0.0])
@pytest.mark.parametrize(
    ("name", "expected"), [("relu", 0), ("leaky_relu", 0.01), ("elu", 1), ("selu", 1.75809934)]
)
def test_slope_at_a_kink_is_that_of_the_left_side(name, expected, zero):
    _, slope = value_and_slope(name, np.array([[zero]]))
    assert_allclose(slope, expected, rtol=1e-8)


def test_gelu_is_close_to_z_times_the_normal_distribution_function():
    z = np.linspace(-5, 5, 101)
    a, _ = value_and_slope("gelu", z)
    assert_allclose(a, z * special.ndtr(z), atol=5e-4)


def largest_deviation(bound):
    """Return how far mean and variance get from 0 and 1 in 20 layers of SELU."""
    rng = np.random.RandomState(0)
    a, deviation = rng.randn(1000, 256), 0.0
    # Glorot's bound is the same for layers of equal width, so the widths alternate.
    for fan_in, fan_out in pairwise([256, 64] * 10 + [256]):
        limit = bound(fan_in, fan_out)
        a = a @ rng.uniform(-limit, limit, (fan_in, fan_out))
        SELU.forward(a)
        deviation = max(deviation, abs(a.mean()), abs(a.var() - 1))
    return deviation


def test_selu_keeps_mean_0_and_variance_1_through_20_layers_by_its_own_initialisation():
    assert largest_deviation(SELU.initial_bound) < 0.15
    assert largest_deviation(glorot) > 0.4
