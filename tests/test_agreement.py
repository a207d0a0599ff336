"""The estimator's numbers against scikit-learn's MLPClassifier and a textbook loop."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

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


DATASETS = {"digits": load_digits, "iris": load_iris, "breast_cancer": load_breast_cancer}


def shuffled_training(name, solver):
    """Return scaled data and both classifiers, which shuffle minibatches by default."""
    X, y = DATASETS[name](return_X_y=True)
    shared = {"hidden_layer_sizes": (20, 10), "solver": solver, "batch_size": 32}
    shared |= {"learning_rate_init": 0.005, "max_iter": 12, "random_state": 0}
    ours, theirs = NumpyMLPClassifier(**shared, preset="sklearn"), MLPClassifier(**shared)
    return StandardScaler().fit_transform(X), y, ours, theirs


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("name", DATASETS)
def test_fit_with_the_preset_sklearn_has_scikit_learns_loss_curve(name, solver):
    X, y, ours, theirs = shuffled_training(name, solver)
    for model in (ours, theirs):
        with pytest.warns(ConvergenceWarning):
            model.fit(X, y)
    assert len(ours.loss_curve_) == 12
    assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-9)
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("name", DATASETS)
def test_partial_fit_with_the_preset_sklearn_has_scikit_learns_loss_curve(name, solver):
    X, y, ours, theirs = shuffled_training(name, solver)
    for model in (ours, theirs):
        # With an int, scikit-learn's calls would all shuffle in the same way.
        model.set_params(random_state=np.random.RandomState(0))
        for start in (0, 60, 30, 0):  # parts of the data, of different sizes
            model.partial_fit(X[start::2], y[start::2], classes=np.unique(y))
    assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-9)
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-6, atol=1e-12)


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
