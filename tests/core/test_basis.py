"""A network in a basis of the inputs is, folded, a network on X."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import csr_array, csr_matrix

from sknumpynet.core.activations import GELU
from sknumpynet.core.basis import KEPT, find_basis, folded
from sknumpynet.core.batches import Minibatch
from sknumpynet.core.losses import SoftmaxCrossEntropy
from sknumpynet.core.network import Backprop, Network, forward, initialize
from sknumpynet.fit.bases import enlarged, principal_components, rotation

CLASSES = 3
SHAPES = {"tall": (60, 8), "wide": (12, 40)}
MAKE = {"rotation": rotation, "principal components": principal_components, "enlarged": enlarged}


def rows(shape, seed=0):
    """Return rows of correlated features of different sizes, far from 0; some numbers are 0."""
    rng = np.random.RandomState(seed)
    n, d = SHAPES[shape]
    X = rng.randn(n, d) @ rng.randn(d, d) * np.linspace(0.1, 2, d) + 5
    return np.where(rng.rand(n, d) < 0.3, 0.0, X)


def network_in(basis, hidden):
    """Return a network on the coordinates, and float64 parameters."""
    d, _ = basis.components.shape
    network = Network((d, *hidden, CLASSES), GELU, SoftmaxCrossEntropy(0.1)).in_basis(basis)
    return network, initialize(network, np.random.RandomState(1), "float64")


@pytest.mark.parametrize("convert", [np.asarray, csr_array, csr_matrix])
@pytest.mark.parametrize("hidden", [(), (7,), (7, 6), (7, 6, 5)])
@pytest.mark.parametrize("make", MAKE)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_network_in_a_basis_and_the_folded_one_have_equal_logits(shape, make, hidden, convert):
    X = rows(shape)
    network, params = network_in(MAKE[make](X, "float64"), hidden)
    logits = forward(convert(X), params, network)
    plain = network._replace(sizes=(X.shape[1], *hidden, CLASSES), basis=None)
    on_x = folded(params, network)
    assert_allclose(forward(convert(X), on_x, plain), logits, rtol=0, atol=1e-10)
    others = rows(shape, seed=5)  # also those that the basis was not made from
    assert_allclose(
        forward(others, on_x, plain), forward(others, params, network), rtol=0, atol=1e-10
    )


def test_a_network_without_a_basis_is_folded_already():
    network = Network((4, 3), GELU, None)
    params = initialize(network, np.random.RandomState(0), "float32")
    assert folded(params, network) is params


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_folded_parameters_keep_their_dtype(dtype):
    X = rows("tall")
    basis = principal_components(X, dtype)
    assert basis.shift.dtype == basis.components.dtype == dtype
    network, _ = network_in(basis, (7,))
    params = initialize(network, np.random.RandomState(1), dtype)
    assert folded(params, network).dtype == dtype


@pytest.mark.parametrize("convert", [np.asarray, csr_array, csr_matrix])
@pytest.mark.parametrize("hidden", [(), (7,), (7, 6, 4)])
@pytest.mark.parametrize("shape", SHAPES)
def test_gradient_along_random_directions_in_a_basis(shape, hidden, convert):
    X = rows(shape)
    network, params = network_in(principal_components(X, "float64"), hidden)
    backprop = Backprop(params, network, len(X), 0.3, ())
    rng = np.random.RandomState(2)
    batch = Minibatch(convert(X), rng.randint(CLASSES, size=len(X)), rng.rand(len(X), 1))
    for _ in range(3):
        direction, start, h = rng.randn(len(params)), params.copy(), 1e-5
        direction /= np.linalg.norm(direction)
        values = []
        for step in (h, -h, 0):
            params[:] = start + step * direction
            values.append(backprop(batch))
        assert_allclose(backprop.grad @ direction, (values[0] - values[1]) / (2 * h), rtol=1e-6)


@pytest.mark.parametrize("power", [0.0, 0.25, 0.5])
@pytest.mark.parametrize("shape", SHAPES)
def test_components_are_uncorrelated_and_have_powers_of_the_variances(shape, power):
    X = rows(shape)
    Z = find_basis(X, power, 50, "float64").coordinates(X)
    assert_allclose(Z.mean(axis=0), 0, atol=1e-9)
    covariance = Z.T @ Z / len(Z)
    assert_allclose(covariance, np.diag(np.diag(covariance)), atol=1e-9)
    variances = np.linalg.svd(X - X.mean(axis=0), compute_uv=False)[: Z.shape[1]] ** 2 / len(X)
    expected = variances ** (1 - 2 * power)
    assert_allclose(np.diag(covariance), 50 * expected / expected.sum(), rtol=1e-6)


def test_the_rotation_of_a_wide_table_keeps_the_distances_of_its_rows():
    X = rows("wide")
    Z = rotation(X, "float64").coordinates(X)
    assert Z.shape[1] < len(X) < X.shape[1]
    scale = np.sqrt(50 / X.var(axis=0).sum())
    distances = [np.linalg.norm(A[:, None] - A, axis=2) for A in (Z, scale * X)]
    assert_allclose(*distances, atol=2 * np.sqrt(50 * (1 - KEPT) * len(X)))


def test_enlarged_features_are_centered_and_have_more_variance():
    X = rows("tall")
    Z = enlarged(X, "float64").coordinates(X)
    factor = np.sqrt(400 / X.var(axis=0).sum())
    assert_allclose(Z, factor * (X - X.mean(axis=0)), atol=1e-9)


@pytest.mark.parametrize("size", [1e-200, 1e-30, 1e30, 1e200])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_basis_does_not_depend_on_the_units(shape, size):
    X = rows(shape)
    with np.errstate(all="raise"):
        Z, scaled = (find_basis(A, 0.25, 50, "float64").coordinates(A) for A in (X, (X * size)))
    assert_allclose(np.abs(scaled), np.abs(Z), rtol=1e-6, atol=1e-6)


def test_a_basis_has_no_more_components_than_x_has_directions():
    rng = np.random.RandomState(0)
    X = rng.randn(100, 3) @ rng.randn(3, 50)
    assert find_basis(X, 0.25, 50, "float32").components.shape == (50, 3)
