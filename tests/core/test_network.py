"""The network's gradient: along random directions, against PyTorch, and with dropout."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sknumpynet.core.activations import ACTIVATIONS, ReLU, Tanh
from sknumpynet.core.batches import Minibatch
from sknumpynet.core.losses import LOSSES
from sknumpynet.core.network import (
    Backprop,
    Network,
    draw_mask,
    forward,
    forward_in_blocks,
    initialize,
    n_weights,
    views,
)

N, FEATURES, OUTPUTS = 11, 5, 3


def make_batch(loss_name, weighted=False):
    rng = np.random.RandomState(0)
    X, y = rng.randn(N, FEATURES), rng.randint(OUTPUTS, size=N)
    if loss_name == "logistic":
        y = rng.randint(2, size=(N, OUTPUTS))
    return Minibatch(X, y, rng.rand(N, 1) * 3 if weighted else None)


def make_backprop(hidden, activation=Tanh, loss="softmax", alpha=0.0, dropout=()):
    network = Network((FEATURES, *hidden, OUTPUTS), activation, LOSSES[loss]())
    params = initialize(network, np.random.RandomState(1), "float64")
    return network, Backprop(params, network, N, alpha, dropout)


def relative_error(backprop, batch, seed):
    """Compare the slope along a random direction with central differences."""
    direction = np.random.RandomState(seed).randn(len(backprop.params))
    direction /= np.linalg.norm(direction)
    start, h, values = backprop.params.copy(), 1e-5, []
    for step in (h, -h, 0):
        backprop.params[:] = start + step * direction
        if backprop.dropout:
            backprop.bits = np.random.SFC64(7)
        values.append(backprop(batch))
    analytic, numeric = backprop.grad @ direction, (values[0] - values[1]) / (2 * h)
    return abs(analytic - numeric) / max(abs(analytic), abs(numeric))


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("alpha", [0.0, 0.7])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("hidden", [(), (7,), (7, 6), (7, 6, 4)])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradient_along_random_directions(activation, loss, hidden, weighted, alpha, dropout):
    rates = (dropout, 0.0, dropout / 2)[: len(hidden)]
    _, backprop = make_backprop(hidden, ACTIVATIONS[activation], loss, alpha, rates)
    batch = make_batch(loss, weighted)
    for seed in range(3):
        assert relative_error(backprop, batch, seed) <= 1e-6


class WrongSlope(Tanh):
    """Tanh whose slope is 0.1 % too large."""

    @staticmethod
    def backward(grad, a, slope):
        Tanh.backward(grad, a, slope)
        grad *= 1.001


def test_the_checker_catches_a_slope_that_is_wrong_by_a_thousandth():
    _, backprop = make_backprop((7,), WrongSlope)
    assert max(relative_error(backprop, make_batch("softmax"), seed) for seed in range(3)) > 1e-5


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_same_weights_give_pytorchs_logits_loss_and_gradient(activation, loss):
    torch = pytest.importorskip("torch", reason="compares with PyTorch where it is installed")
    functional = torch.nn.functional
    renamed = {
        "identity": lambda z: z,
        "logistic": torch.sigmoid,
        "gelu": lambda z: functional.gelu(z, approximate="tanh"),
    }
    function = renamed.get(activation) or getattr(functional, activation)
    batch = make_batch(loss)
    network, backprop = make_backprop((7, 6), ACTIVATIONS[activation], loss)
    value = backprop(batch)
    weights, biases = (
        [torch.tensor(view.copy(), requires_grad=True) for view in layer_views]
        for layer_views in views(backprop.params, network.sizes)
    )
    z = torch.tensor(batch.X)
    for layer, (W, b) in enumerate(zip(weights, biases, strict=True)):
        z = (function(z) if layer else z) @ W + b
    if loss == "softmax":
        theirs = functional.cross_entropy(z, torch.tensor(batch.y))
    else:
        y = torch.tensor(batch.y, dtype=torch.float64)
        theirs = OUTPUTS * functional.binary_cross_entropy_with_logits(z, y)
    theirs.backward()
    logits = forward(batch.X, backprop.params, network)
    assert_allclose(logits, z.detach().numpy(), rtol=1e-6)
    assert_allclose(value, theirs.item(), rtol=1e-6)
    ours = backprop.weight_grads + backprop.bias_grads
    for grad, parameter in zip(ours, weights + biases, strict=True):
        assert_allclose(grad, parameter.grad.numpy(), rtol=1e-6, atol=1e-12)


def test_sparse_rows_give_the_logits_loss_and_gradient_of_dense_rows():
    X, y, weight = make_batch("softmax", weighted=True)
    X[np.abs(X) < 0.7] = 0
    network, backprop = make_backprop((7,), ReLU, alpha=0.1)
    rows = sparse.csr_array(X)
    logits = forward(X, backprop.params, network)
    assert_allclose(forward(rows, backprop.params, network), logits)
    loss, grad = backprop(Minibatch(X, y, weight)), backprop.grad.copy()
    assert_allclose(backprop(Minibatch(rows, y, weight)), loss)
    assert_allclose(backprop.grad, grad)


def test_loss_and_gradient_of_a_batch_are_the_weighted_sum_over_its_rows_divided_by_their_number():
    X, y, weight = make_batch("softmax", weighted=True)
    _, backprop = make_backprop((7,))
    losses, grads = [], []
    for i in range(N):
        losses.append(backprop(Minibatch(X[[i]], y[[i]])))
        grads.append(backprop.grad.copy())
    assert_allclose(backprop(Minibatch(X, y, weight)), weight[:, 0] @ losses / N)
    assert_allclose(backprop.grad, weight[:, 0] @ grads / N, atol=1e-15)


def test_penalty_is_half_alpha_times_the_squared_weights_without_biases():
    batch = make_batch("softmax")
    network, plain = make_backprop((7,))
    _, penalised = make_backprop((7,), alpha=0.6)
    weights, _ = views(plain.params, network.sizes)
    squares = sum(np.sum(W**2) for W in weights)
    assert_allclose(penalised(batch) - plain(batch), 0.3 * squares / N)


def test_layers_are_views_that_cover_the_flat_vector_once_weights_first():
    sizes = (4, 3, 2)
    params = np.zeros(n_weights(sizes) + 5)
    weights, biases = views(params, sizes)
    assert [W.shape for W in weights] == [(4, 3), (3, 2)]
    assert [b.shape for b in biases] == [(3,), (2,)]
    for view in weights + biases:
        view += 1
    assert_array_equal(params, 1)
    for b in biases:
        b[:] = 2
    assert_array_equal(params, [1] * 18 + [2] * 5)


def test_forward_is_a_product_and_a_sum_and_follows_a_change_of_the_parameters():
    network = Network((2, 3), ReLU, None)
    params = initialize(network, np.random.RandomState(0), "float32")
    (W,), (b,) = views(params, network.sizes)
    W[:], b[:] = 2, 1
    logits = forward(np.ones((1, 2)), params, network)
    assert logits.dtype == np.float32
    assert_array_equal(logits, [[5, 5, 5]])


@pytest.mark.parametrize("hidden", [(), (7,), (7, 6)])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_predicting_computes_the_logits_of_training(activation, hidden):
    batch = make_batch("softmax")
    network, backprop = make_backprop(hidden, ACTIVATIONS[activation])
    logits = forward(batch.X, backprop.params, network)
    loss, _ = network.loss.value_and_grad(logits, batch.y, 1 / N)
    assert_allclose(backprop(batch), loss)


@pytest.mark.parametrize("block", [3 * 7, 6])  # 6 numbers are less than one row
@pytest.mark.parametrize("n", [0, 1, 6, 7, 20])
def test_blocks_of_rows_give_what_all_rows_give(monkeypatch, n, block):
    network, backprop = make_backprop((7,))
    monkeypatch.setattr("sknumpynet.core.network.BLOCK", block)
    X = np.random.RandomState(0).randn(n, FEATURES)
    expected = forward(X, backprop.params, network)
    assert_allclose(forward_in_blocks(X, backprop.params, network), expected)
    codes = forward_in_blocks(X, backprop.params, network, lambda logits: logits.argmax(axis=1))
    assert_array_equal(codes, expected.argmax(axis=1))


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_array])
def test_too_large_values_raise_an_error_that_tells_what_to_do(convert):
    network = Network((2, 3, 3), ReLU, None)
    params = initialize(network, np.random.RandomState(0), "float32")
    with pytest.raises(ValueError, match=r"too large for float32: scale X.*dtype='float64'"):
        forward(convert([[1.0, 1e39]]), params, network)
    assert np.isfinite(forward(convert([[1e30, 1e-30]]), params, network)).all()


@pytest.mark.parametrize("p", [0.0, 0.001, 0.1, 0.5, 0.9])
def test_dropout_mask_drops_the_fraction_p_independently_and_keeps_the_mean(p):
    n, d = 999, 1001
    mask, bits = np.empty((n, d), np.float32), np.random.SFC64(0)
    draw_mask(mask, p, bits)
    dropped, level = mask == 0, 1 / 2**16  # p is rounded to a multiple of this
    sigma = np.sqrt(p * (1 - p))
    assert_allclose(dropped.mean(), p, rtol=0, atol=4 * sigma / np.sqrt(n * d) + level / 2)
    kept = mask[~dropped]
    assert_allclose(kept, 1 / (1 - p), rtol=level / (1 - p))
    assert kept.min() == kept.max()
    assert_allclose(mask.mean(dtype=float), 1, atol=4 * sigma / (1 - p) / np.sqrt(n * d) + 1e-7)
    if p == 0:
        return
    # Pairs of rows, pairs of units, and pairs of masks are uncorrelated.
    scaled = (dropped - p) / sigma
    for units in (scaled, scaled.T):
        pairs = (units.T @ units)[np.triu_indices(units.shape[1], 1)] / np.sqrt(len(units))
        assert_allclose([pairs.mean(), pairs.std()], [0, 1], atol=0.1)
    draw_mask(mask, p, bits)
    assert abs(np.sum(scaled * ((mask == 0) - p) / sigma)) < 4 * np.sqrt(n * d)


def test_a_dropout_probability_just_below_1_is_rounded_to_one_that_drops_not_all():
    mask = np.empty((1000, 1000), np.float32)
    draw_mask(mask, 1 - 1e-9, np.random.SFC64(0))
    assert_array_equal(np.unique(mask), [0, 2**16])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_dropout_multiplies_each_hidden_layer_by_its_mask(activation):
    batch, rates = make_batch("softmax"), (0.5, 0.2)
    network, backprop = make_backprop((7, 6), ACTIVATIONS[activation], dropout=rates)
    backprop.bits, bits = np.random.SFC64(3), np.random.SFC64(3)
    a, (weights, biases) = batch.X, views(backprop.params, network.sizes)
    for W, b, p in zip(weights, biases, (*rates, None), strict=True):
        z = a @ W + b
        if p is not None:
            mask = np.empty_like(z)
            draw_mask(mask, p, bits)
            network.activation.forward(z)
            a = z * mask
    expected, _ = network.loss.value_and_grad(z, batch.y, 1 / N)
    assert_allclose(backprop(batch), expected)
