"""The validation set: how a network does on rows that it was not trained on."""

import inspect
from copy import copy
from math import log1p

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.metrics import get_scorer

from sknumpynet.core.basis import folded
from sknumpynet.core.network import forward_in_blocks

# Expected logarithm of the temperature, and expected distance from it.
LOG_TEMPERATURE, LOG_DISTANCE = 0.5, 0.15


def chance_loss(data, rows, held_out):
    """Return the loss of predicting the class frequencies of some rows for those held out.

    Parameters
    ----------
    data, held_out : Data
    rows : ndarray of int
        The rows of `data` that are trained on.
    """
    codes, answers = (c.reshape(len(c), -1).T for c in (data.codes[rows], held_out.codes))
    weights = [None] * len(codes)
    if data.weight is not None:
        of_rows = data.weight[rows]
        weights = np.broadcast_to((of_rows / of_rows.max()).T, codes.shape)
    losses = np.zeros(held_out.n)
    for column, weight, answer in zip(codes, weights, answers, strict=True):
        sums = np.bincount(column, weight, minlength=answer.max() + 1)
        losses -= np.log(np.maximum(sums / sums.sum(), np.finfo(float).tiny))[answer]
    return float(np.average(losses, weights=held_out.relative_weight))


class ValidationSet:
    """Rows that are not trained on.

    Parameters
    ----------
    data : Data
    network : Network
    view : NumpyMLPClassifier
        Fitted but for its ``params_``, for a scorer to call; has the `scoring`.
    """

    def __init__(self, data, network, view):
        self.data, self.network, self.view, self.scoring = data, network, view, view.scoring
        self.weight = data.relative_weight

    def evaluate(self, params):
        """Return the loss of the predicted probabilities, and the score.

        The loss is not finite if training has diverged.
        """
        mean_loss, accuracy = self.measure(self.logits(params))
        if self.scoring == "accuracy" or not np.isfinite(mean_loss):
            return mean_loss, accuracy
        return mean_loss, -mean_loss if self.scoring == "loss" else self.call_scorer(params)

    def logits(self, params):
        """Return the outputs of the network."""
        return forward_in_blocks(self.data.X, params, self.network)

    def measure(self, logits):
        """Return the loss of the predicted probabilities, and the accuracy."""
        data, loss, weight = self.data, self.network.loss, self.weight
        with np.errstate(all="ignore"):
            right = (loss.predict(logits) == data.codes).reshape(data.n, -1).all(axis=1)
            losses = loss.log_losses(np.array(logits), data.codes)
            return tuple(float(np.average(x, weights=weight)) for x in (losses, right))

    @np.errstate(all="ignore")
    def calibrate(self, logits):
        """Return the temperature that minimises the loss of the probabilities, and that loss.

        A penalty is added to the sum over the rows, so that few of them do not move T far from
        the value that is expected without any. It grows as a logarithm: a network that is far
        too sure of its answers can be corrected by a few rows.
        """
        data, loss, logits = self.data, self.network.loss, logits.astype(np.float64)

        def mean_loss(log_t):
            scaled = type(loss)(loss.smoothing, np.exp(log_t))
            losses = scaled.log_losses(logits.copy(), data.codes)
            return float(np.average(losses, weights=self.weight))

        def objective(log_t):
            penalty = log1p(((log_t - LOG_TEMPERATURE) / LOG_DISTANCE) ** 2)
            return mean_loss(log_t) + penalty / 2 / data.n

        log_t = minimize_scalar(objective, bounds=(-2, 4), method="bounded").x
        return float(np.exp(log_t)), mean_loss(log_t)

    def call_scorer(self, params):
        scorer = get_scorer(self.scoring)
        # A scikit-learn scorer passes weights on to its metric, which may not accept them.
        accepted = inspect.signature(getattr(scorer, "_score_func", scorer)).parameters
        weight = self.data.weight
        weights = {} if weight is None else {"sample_weight": weight.mean(axis=1)}
        weights = weights if "sample_weight" in accepted else {}
        estimator = copy(self.view)
        estimator.params_ = folded(params, self.network)
        return float(scorer(estimator, self.data.X[:], self.data.labels, **weights))
