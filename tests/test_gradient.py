"""Proof of the gradient: along random directions, beside two other implementations, and against a
textbook loop."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.neural_network import MLPClassifier

from sknumpynet import NumpyMLPClassifier
from sknumpynet.activations import ACTIVATIONS, ReLU, Tanh
from sknumpynet.losses import LOSSES
from sknumpynet.network import Backprop, forward, initialize, views

N, FEATURES, OUTPUTS = 11, 5, 3


def problem(loss_name, weighted, seed=0):
    rng = np.random.RandomState(seed)
    X = rng.randn(N, FEATURES)
    y = rng.randint(OUTPUTS, size=N)
    if loss_name == "logistic":
        y = rng.randint(2, size=(N, OUTPUTS))
    weight = rng.rand(N, 1) * 3 if weighted else None
    return X, y, weight, N if weight is None else weight.sum()


def relative_error(backprop, batch, seed):
    """Slope along a random direction: analytic against central differences."""
    direction = np.random.RandomState(seed).randn(len(backprop.params))
    direction /= np.linalg.norm(direction)
    backprop(*batch)
    analytic = backprop.grad @ direction
    start, h = backprop.params.copy(), 1e-5
    values = []
    for sign in (1, -1):
        backprop.params[:] = start + sign * h * direction
        values.append(backprop(*batch))
    backprop.params[:] = start
    numeric = (values[0] - values[1]) / (2 * h)
    return abs(analytic - numeric) / max(abs(analytic), abs(numeric))


@pytest.mark.parametrize("alpha", [0.0, 0.7])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("hidden", [(), (7,), (7, 6), (7, 6, 4)])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradient_along_random_directions(activation, loss, hidden, weighted, alpha):
    batch = problem(loss, weighted)
    sizes = [FEATURES, *hidden, OUTPUTS]
    params = initialize(sizes, 6.0, np.random.RandomState(1), "float64")
    backprop = Backprop(params, sizes, ACTIVATIONS[activation], LOSSES[loss](), alpha, N)
    for seed in range(3):
        assert relative_error(backprop, batch, seed) <= 1e-6


class WrongBy(Tanh):
    """Tanh whose slope is 0.1 % too large."""

    @staticmethod
    def backward(grad, a, z):
        Tanh.backward(grad, a, z)
        grad *= 1.001


def test_the_checker_catches_a_slope_that_is_a_thousandth_wrong():
    batch = problem("softmax", weighted=False)
    sizes = [FEATURES, 7, OUTPUTS]
    params = initialize(sizes, 6.0, np.random.RandomState(1), "float64")
    backprop = Backprop(params, sizes, WrongBy, LOSSES["softmax"](), 0.0, N)
    assert max(relative_error(backprop, batch, seed) for seed in range(3)) > 1e-5


def test_sparse_rows_give_the_same_loss_and_gradient_as_dense_ones():
    X, y, weight, mass = problem("softmax", weighted=True)
    X[np.abs(X) < 0.7] = 0
    sizes = [FEATURES, 7, OUTPUTS]
    params = initialize(sizes, 6.0, np.random.RandomState(1), "float64")
    backprop = Backprop(params, sizes, ReLU, LOSSES["softmax"](), 0.1, N)
    loss = backprop(X, y, weight, mass)
    grad = backprop.grad.copy()
    assert_allclose(backprop(sparse.csr_array(X), y, weight, mass), loss)
    assert_allclose(backprop.grad, grad)


def test_backprop_follows_a_change_of_its_parameters():
    sizes = [2, 3]
    params = initialize(sizes, 6.0, np.random.RandomState(0), "float64")
    (W,), (b,) = views(params, sizes)
    W[:], b[:] = 2, 1
    assert_allclose(forward(np.ones((1, 2)), params, sizes, ReLU), [[5, 5, 5]])


def peer_problem(n_classes):
    rng = np.random.RandomState(3)
    X = rng.randn(60, 6)
    return X, rng.permutation(np.arange(60) % n_classes)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_same_weights_give_scikit_learns_probabilities_loss_and_gradient(activation, n_classes):
    X, y = peer_problem(n_classes)
    # One full-batch step of plain gradient descent: the parameters move by -lr times the gradient.
    shared = {
        "hidden_layer_sizes": (8, 5),
        "activation": activation,
        "solver": "sgd",
        "momentum": 0.0,
        "alpha": 0.3,
        "learning_rate_init": 1.0,
        "batch_size": 60,
        "random_state": 0,
    }
    ours = NumpyMLPClassifier(**shared, dtype="float64")
    theirs = MLPClassifier(**shared)
    classes = np.unique(y)
    for model in (ours, theirs):
        model.partial_fit(X, y, classes=classes)
    assert_allclose(ours.loss_, theirs.loss_, rtol=1e-6)
    for mine, other in zip(
        ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True
    ):
        assert_allclose(mine, other, rtol=1e-6, atol=1e-12)
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_same_weights_give_pytorchs_logits_loss_and_gradient(activation, loss):
    torch = pytest.importorskip("torch", reason="compares with PyTorch where it is installed")
    X, y, _, mass = problem(loss, weighted=False)
    sizes = [FEATURES, 7, 6, OUTPUTS]
    params = initialize(sizes, 6.0, np.random.RandomState(1), "float64")
    backprop = Backprop(params, sizes, ACTIVATIONS[activation], LOSSES[loss](), 0.0, N)
    value = backprop(X, y, None, mass)

    functional = torch.nn.functional
    renamed = {
        "identity": lambda z: z,
        "logistic": torch.sigmoid,
        "gelu": lambda z: functional.gelu(z, approximate="tanh"),
    }
    function = renamed.get(activation) or getattr(functional, activation)
    weights, biases = (
        [torch.tensor(window.copy(), requires_grad=True) for window in windows]
        for windows in views(params, sizes)
    )
    z = torch.tensor(X)
    for layer, (W, b) in enumerate(zip(weights, biases, strict=True)):
        z = (function(z) if layer else z) @ W + b
    if loss == "softmax":
        theirs = functional.cross_entropy(z, torch.tensor(y))
    else:
        theirs = OUTPUTS * functional.binary_cross_entropy_with_logits(
            z, torch.tensor(y, dtype=torch.float64)
        )
    theirs.backward()
    logits = forward(X, params, sizes, ACTIVATIONS[activation])
    assert_allclose(logits, z.detach().numpy(), rtol=1e-6)
    assert_allclose(value, theirs.item(), rtol=1e-6)
    for ours, parameter in zip(
        backprop.weight_grads + backprop.bias_grads, weights + biases, strict=True
    ):
        assert_allclose(ours, parameter.grad.numpy(), rtol=1e-6, atol=1e-12)


def textbook_losses(X, y, W1, b1, W2, b2, lr, n_steps):
    """Full-batch gradient descent on a two-layer net, as a student writes it."""
    losses, onehot = [], np.eye(10)[y]
    for _ in range(n_steps):
        Z1 = X @ W1 + b1
        A1 = np.maximum(0, Z1)
        Z2 = A1 @ W2 + b2
        P = np.exp(Z2) / np.exp(Z2).sum(axis=1, keepdims=True)
        losses.append(-np.mean(np.log(P[np.arange(len(y)), y])))
        dZ2 = (P - onehot) / len(y)
        dZ1 = (dZ2 @ W2.T) * (Z1 > 0)
        W1, b1 = W1 - lr * X.T @ dZ1, b1 - lr * dZ1.sum(axis=0)
        W2, b2 = W2 - lr * A1.T @ dZ2, b2 - lr * dZ2.sum(axis=0)
    return losses


def test_full_batch_gradient_descent_is_the_textbook_loop():
    rng = np.random.RandomState(0)
    X, y = rng.rand(300, 784) * (rng.rand(300, 784) < 0.2), rng.permutation(np.arange(300) % 10)
    sizes = [784, 256, 10]
    params = initialize(sizes, 6.0, np.random.RandomState(7), "float64")
    (W1, W2), (b1, b2) = views(params, sizes)
    expected = textbook_losses(X, y, W1, b1, W2, b2, 0.5, 10)
    model = NumpyMLPClassifier(
        256,
        solver="sgd",
        momentum=0,
        alpha=0,
        batch_size=300,
        learning_rate_init=0.5,
        random_state=7,
        dtype="float64",
    )
    for _ in range(10):
        model.partial_fit(X, y, classes=np.arange(10))
    assert_allclose(model.loss_curve_, expected, rtol=0, atol=1e-10)
    assert expected[-1] < expected[0]
