"""Losses on logits: value and gradient in one call, and the way back to probabilities.

Legend: ``z`` logits (n, k), ``y`` targets, ``w`` what each row counts, a number or an array
(n, 1); for the logistic loss also (n, k), what each question counts.

Softmax cross-entropy, one of k classes, ``y`` integer codes (n,)::

    L     = sum_i w_i (logsumexp(z_i) - z_i[y_i])
    dL/dz = w (softmax(z) - onehot(y))                  the project's "p - y"

Logistic cross-entropy, k independent yes/no questions, ``y`` of 0 and 1 (n, k); k = 1 for two
classes::

    L     = sum_i w_i sum_j (softplus(z_ij) - y_ij z_ij)
    dL/dz = w (sigmoid(z) - y)

With w = 1/n this is the mean loss, with w_i = s_i / sum(s) the mean weighted by s. Both forms are
stable: logsumexp subtracts the row's maximum, and softplus(z) = log(1 + exp(z)) is computed as
max(z, 0) + log1p(exp(-|z|)). Log-probabilities come straight from the logits and so stay finite
where a probability rounds to zero.
"""

import numpy as np


class SoftmaxCrossEntropy:
    """One of k >= 3 classes; logits (n, k), integer codes (n,)."""

    out_activation = "softmax"

    @staticmethod
    def value_and_grad(z, y, w):
        """Return the loss and overwrite the logits `z` with dL/dz."""
        rows = np.arange(len(z))
        z -= z.max(axis=1, keepdims=True)
        loss = -z[rows, y]
        np.exp(z, out=z)
        total = z.sum(axis=1)
        loss += np.log(total)
        z /= total[:, None]
        z[rows, y] -= 1
        z *= w
        return float(np.sum(loss * np.ravel(w))), z

    @staticmethod
    def log_proba(z):
        """Overwrite the logits (n, k) with log-probabilities (n, k)."""
        z -= z.max(axis=1, keepdims=True)
        z -= np.log(np.exp(z).sum(axis=1, keepdims=True))
        return z


class LogisticCrossEntropy:
    """k yes/no questions; logits (n, k), targets of 0 and 1 (n, k)."""

    out_activation = "logistic"

    @staticmethod
    def value_and_grad(z, y, w):
        """Return the loss and overwrite the logits `z` with dL/dz."""
        loss = np.maximum(z, 0) - y * z
        loss += np.log1p(np.exp(-np.abs(z)))
        z *= 0.5
        np.tanh(z, out=z)
        z += 1
        z *= 0.5
        z -= y
        z *= w
        return float(np.sum(loss * w)), z

    @staticmethod
    def log_proba(z):
        """Log-probability of "yes": overwrite the logits (n, k) with -softplus(-z)."""
        np.negative(z, out=z)
        np.logaddexp(0, z, out=z)
        return np.negative(z, out=z)


LOSSES = {
    "softmax": SoftmaxCrossEntropy,
    "logistic": LogisticCrossEntropy,
}
