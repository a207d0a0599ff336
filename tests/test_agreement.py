"""The estimator's numbers against scikit-learn's MLPClassifier and a textbook loop."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.neural_network import MLPClassifier

from sknumpynet import NumpyMLPClassifier
from sknumpynet.core.activations import ReLU
from sknumpynet.core.network import Network, initialize, views


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_same_weights_give_scikit_learns_probabilities_loss_and_gradient(activation, n_classes):
    rng = np.random.RandomState(3)
    X, y = rng.randn(60, 6), rng.permutation(np.arange(60) % n_classes)
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
    ours, theirs = NumpyMLPClassifier(**shared, preset="sklearn"), MLPClassifier(**shared)
    for model in (ours, theirs):
        model.partial_fit(X, y, classes=np.arange(n_classes))
    assert_allclose(ours.loss_, theirs.loss_, rtol=1e-9)
    for mine, other in zip(
        ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True
    ):
        assert_allclose(mine, other, rtol=1e-9, atol=1e-12)
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-9)


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
    sizes = (784, 256, 10)
    params = initialize(Network(sizes, ReLU, None), np.random.RandomState(7), "float64")
    (W1, W2), (b1, b2) = views(params, sizes)
    expected = textbook_losses(X, y, W1, b1, W2, b2, 0.5, 10)
    settings = {"solver": "sgd", "momentum": 0, "alpha": 0, "batch_size": 300}
    model = NumpyMLPClassifier(
        256, preset="sklearn", **settings, learning_rate_init=0.5, random_state=7
    )
    for _ in range(10):
        model.partial_fit(X, y, classes=np.arange(10))
    assert_allclose(model.loss_curve_, expected, rtol=0, atol=1e-10)
    assert expected[-1] < expected[0]
