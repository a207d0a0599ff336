"""Losses for classes: the value and its gradient in one call, and the probabilities.

The number of classes decides which one it is. The losses for numbers are in `core.regression`.

Legend: ``z`` logits (n, k), ``y`` targets, ``w`` weight of each row: a number, an array (n, 1) or,
for the logistic loss, one weight for each output (n, k).

Softmax cross-entropy, one of k classes, ``y`` integer codes (n,)::

    L     = sum_i w_i (logsumexp(z_i) - z_i[y_i])
    dL/dz = w (softmax(z) - onehot(y))                  the well-known "p - y"

Logistic cross-entropy, k independent yes/no questions, ``y`` of 0 and 1 (n, k); k = 1 for two
classes::

    L     = sum_i w_i sum_j (softplus(z_ij) - y_ij z_ij)
    dL/dz = w (sigmoid(z) - y)

With w = 1 / n this is the mean loss. Both forms are stable: logsumexp subtracts the row's maximum,
and softplus(z) = log(1 + exp(z)) is computed as max(z, 0) + log1p(exp(-|z|)). Log-probabilities are
computed from the logits and stay finite where a probability rounds to zero.

Label smoothing [1]_ spreads a fraction ``e`` of each target evenly over all answers: onehot(y)
becomes (1 - e) onehot(y) + e / k, and a yes/no target y becomes (1 - e) y + e / 2. The smallest
possible cross-entropy is then the entropy of the smoothed target instead of 0. It is subtracted
from the value, which is therefore 0 for a perfect fit with or without smoothing.

A network that is trained this way predicts smoothed probabilities q = (1 - e) p + e / k. They are
unsmoothed by::

    p ~ max(0, (q - e / k) / (1 - e)) + e / 100 (q + 1 / k)

where the second term preserves the order of improbable answers and bounds their logarithms.

Temperature scaling [2]_ calibrates the probabilities that are predicted: they become proportional
to p^(1 / T), more even for T > 1. Training does not use it.

References
----------
.. [1] Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016.
.. [2] Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
"""

from math import log
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sknumpynet.core.types import Floats, Integers


def entropy(*probabilities: float) -> float:
    """Return the entropy of a distribution, in nats."""
    return -sum(p * log(p) for p in probabilities if p > 0)


def undo_smoothing(q: Floats, e: float) -> Floats:
    """Return the probabilities p (n, k) behind smoothed ones q (n, k)."""
    k = q.shape[1]
    p = np.maximum(0, (q - e / k) / (1 - e)) + 0.01 * e * (q + 1 / k)
    return p / p.sum(axis=1, keepdims=True)


def log_softmax(z: Floats) -> Floats:
    """Overwrite the logits (n, k) with log-probabilities, and return them."""
    z -= np.maximum.reduce(z, axis=1, keepdims=True)
    z -= np.log(np.add.reduce(np.exp(z), axis=1, keepdims=True))
    return z


def weighted_sum(loss: Floats, w: float | Floats) -> float:
    """Return sum_i w_i loss_i as a float, for `loss` of shape (n,) or (n, k)."""
    if isinstance(w, np.ndarray):
        loss = loss * (w[:, 0] if loss.ndim == 1 else w)
        w = 1.0
    return w * float(loss.sum())


class CrossEntropy:
    """What the losses share."""

    def __init__(self, label_smoothing: float = 0.0, temperature: float = 1.0) -> None:
        self.smoothing, self.temperature = float(label_smoothing), float(temperature)

    def at_temperature(self, temperature: float) -> Self:
        """Return the same loss with another temperature."""
        return type(self)(self.smoothing, temperature)


class SoftmaxCrossEntropy(CrossEntropy):
    """One of k classes; logits (n, k), integer codes (n,)."""

    def value_and_grad(self, z: Floats, y: NDArray[Any], w: float | Floats) -> tuple[float, Floats]:
        """Return the loss, and overwrite the C-contiguous logits `z` with dL/dz."""
        e, k = self.smoothing, z.shape[1]
        flat, at_y = z.reshape(-1), np.arange(0, z.size, k) + y
        ones = np.ones(k, z.dtype)
        # Short rows are reduced faster along a contiguous axis, or by a product with ones.
        z -= np.ascontiguousarray(z.T).max(axis=0)[:, None]
        loss = (e - 1) * flat[at_y]
        if e > 0:
            loss -= e / k * (z @ ones)
            loss -= entropy(1 - e + e / k, *[e / k] * (k - 1))
        np.exp(z, out=z)
        total = z @ ones
        loss += np.log(total)
        z /= total[:, None]
        if e > 0:
            z -= e / k
        flat[at_y] -= 1 - e
        z *= w
        return weighted_sum(loss, w), z

    @staticmethod
    def predict(z: Floats) -> Integers:
        """Return the most probable class of each row, (n,)."""
        return z.argmax(axis=1)

    def log_proba(self, z: Floats) -> Floats:
        """Return the log-probabilities (n, k) of logits (n, k), which may be overwritten."""
        z = log_softmax(z)
        if self.smoothing > 0:
            z = np.log(undo_smoothing(np.exp(z), self.smoothing))
        return z if self.temperature == 1 else log_softmax(z / self.temperature)

    def losses(self, z: Floats, y: NDArray[Any]) -> Floats:
        """Return -log p of each row's target, with p as predicted, (n,)."""
        return -self.log_proba(z)[np.arange(len(z)), y]


class LogisticCrossEntropy(CrossEntropy):
    """k yes/no questions; logits (n, k), targets of 0 and 1 (n, k)."""

    def value_and_grad(self, z: Floats, y: NDArray[Any], w: float | Floats) -> tuple[float, Floats]:
        """Return the loss, and overwrite the logits `z` with dL/dz."""
        e = self.smoothing
        if e > 0:
            y = np.multiply(y, 1 - e, dtype=z.dtype) + e / 2
        loss = np.maximum(z, 0) - y * z
        loss += np.log1p(np.exp(-np.abs(z)))
        if e > 0:
            loss -= entropy(1 - e / 2, e / 2)
        z *= 0.5
        np.tanh(z, out=z)
        z += 1
        z *= 0.5
        z -= y
        z *= w
        return weighted_sum(loss, w), z

    @staticmethod
    def predict(z: Floats) -> Integers:
        """Return the more probable answers, 0 or 1, (n, k)."""
        return (z > 0).astype(int)

    def log_proba(self, z: Floats) -> Floats:
        """Return the log-probability of "yes", (n, k), of logits (n, k)."""
        if self.smoothing > 0:
            yes_no = np.exp(-np.logaddexp(0, [-z, z])).reshape(2, -1).T
            yes, no = np.log(undo_smoothing(yes_no, self.smoothing)).T
            z = (yes - no).reshape(z.shape)
        return -np.logaddexp(0, -z / self.temperature)

    def losses(self, z: Floats, y: NDArray[Any]) -> Floats:
        """Return -log p of each row's targets, with p as predicted, summed over questions, (n,)."""
        return -self.log_proba(np.where(y, z, -z)).sum(axis=1)


# Chosen by `ClassTargets.loss`.
LOSSES = {
    "softmax": SoftmaxCrossEntropy,
    "logistic": LogisticCrossEntropy,
}
