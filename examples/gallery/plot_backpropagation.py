"""
Backpropagation in forty lines
==============================

This example writes a network with one hidden layer in plain NumPy: the forward pass,
backpropagation and gradient descent. The gradients agree with finite differences, and the loss
curve is the one that :class:`sknumpynet.NumpyMLPClassifier` has with the same settings.
"""

import warnings
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from sknumpynet import NumpyMLPClassifier

# The number of epochs is fixed here, so training ends while the loss is still falling.
warnings.filterwarnings("ignore", category=ConvergenceWarning)

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, stratify=y, random_state=0)
Y_train = np.eye(10)[y_train]  # one-hot targets
N_HIDDEN, N_EPOCHS, LEARNING_RATE = 32, 200, 0.3


# %%
# The network
# -----------
# Backpropagation applies the chain rule from the loss back to the first layer. For softmax
# outputs and the cross-entropy, the gradient with respect to the logits is ``(P - Y) / n``. From
# there on, each layer needs two matrix products: one for the gradient of its weights, and one that
# passes the gradient on to the layer below.
def forward(X, params):
    """Return the hidden activations and the predicted probabilities."""
    W1, b1, W2, b2 = params
    H = np.maximum(X @ W1 + b1, 0)
    Z = H @ W2 + b2
    P = np.exp(Z - Z.max(axis=1, keepdims=True))
    return H, P / P.sum(axis=1, keepdims=True)


def cross_entropy(P, Y):
    return -np.mean(np.log((P * Y).sum(axis=1)))


def backward(X, Y, H, P, params):
    """Return the gradient of the cross-entropy for each of the parameters."""
    W2 = params[2]
    dZ2 = (P - Y) / len(X)
    dZ1 = (dZ2 @ W2.T) * (H > 0)
    return [X.T @ dZ1, dZ1.sum(axis=0), H.T @ dZ2, dZ2.sum(axis=0)]


def initialize(sizes, rng):
    """Draw weights and biases from Glorot's uniform distribution."""
    params = []
    for fan_in, fan_out in pairwise(sizes):
        bound = np.sqrt(6 / (fan_in + fan_out))
        params.append(rng.uniform(-bound, bound, (fan_in, fan_out)))
        params.append(rng.uniform(-bound, bound, fan_out))
    return params


# %%
# Check the gradient
# ------------------
# A central difference approximates the derivative for one weight at a time. It is far too slow for
# training, but it is a good test of backpropagation.
rng = np.random.RandomState(0)
params = initialize((X.shape[1], N_HIDDEN, 10), rng)
gradient = backward(X_train, Y_train, *forward(X_train, params), params)
checked, step = params[2], 1e-5
numeric = np.empty_like(checked)
for index in np.ndindex(checked.shape):
    value = checked[index]
    checked[index] = value + step
    above = cross_entropy(forward(X_train, params)[1], Y_train)
    checked[index] = value - step
    below = cross_entropy(forward(X_train, params)[1], Y_train)
    checked[index] = value
    numeric[index] = (above - below) / (2 * step)
print(f"largest difference between the two gradients: {np.abs(numeric - gradient[2]).max():.1e}")

# %%
# Train
# -----
# Gradient descent subtracts a multiple of the gradient of all rows, again and again.
losses = []
for _ in range(N_EPOCHS):
    H, P = forward(X_train, params)
    losses.append(cross_entropy(P, Y_train))
    for p, g in zip(params, backward(X_train, Y_train, H, P, params), strict=True):
        p -= LEARNING_RATE * g
accuracy = np.mean(forward(X_test, params)[1].argmax(axis=1) == y_test)

# %%
# The same settings in the package: plain gradient descent, one batch of all rows, no penalty. The
# same seed draws the same initial weights.
mlp = NumpyMLPClassifier(
    N_HIDDEN,
    preset="sklearn",
    solver="sgd",
    momentum=0,
    alpha=0,
    batch_size=len(X_train),
    learning_rate_init=LEARNING_RATE,
    max_iter=N_EPOCHS,
    random_state=0,
).fit(X_train, y_train)
print(f"final loss: {losses[-1]:.12f} by hand, {mlp.loss_:.12f} in the package")
print(f"largest difference of the losses: {np.abs(np.subtract(losses, mlp.loss_curve_)).max():.1e}")
print(f"test accuracy: {accuracy:.4f} by hand, {mlp.score(X_test, y_test):.4f} in the package")

# %%
# The two loss curves lie on top of each other. On the right, each point is one weight of the second
# layer before training.
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
left.plot(mlp.loss_curve_, color="0.75", linewidth=6, label="NumpyMLPClassifier")
left.plot(losses, color="black", linestyle="--", label="by hand")
left.set(xlabel="epoch", ylabel="training loss", yscale="log", title="The same loss curve")
left.legend()
right.axline((0, 0), slope=1, color="0.6", linewidth=1)
right.plot(numeric.ravel(), gradient[2].ravel(), "k.", markersize=4)
right.set(
    xlabel="finite difference",
    ylabel="backpropagation",
    title="The same gradient",
    aspect="equal",
)
