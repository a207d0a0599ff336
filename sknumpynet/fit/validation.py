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
    """Return the loss, for the rows held out, of a prediction that does not look at X.

    Parameters
    ----------
    data, held_out : Data
    rows : ndarray of int
        The rows of `data` that are trained on.
    """
    weight = None if data.weight is None else data.weight[rows]
    losses = data.targets.constant_losses(data.encoded[rows], weight, held_out.encoded)
    return float(np.average(losses, weights=held_out.relative_weight))


class ValidationSet:
    """Rows that are not trained on.

    Parameters
    ----------
    data : Data
    network : Network
    view : estimator
        Has all fitted attributes except ``params_``, for a scorer to call, and the `scoring`.
    """

    def __init__(self, data, network, view):
        self.data, self.network = data, network
        self.view, self.scoring = view, view.scoring
        self.weight = data.relative_weight

    def evaluate(self, params):
        """Return the loss of the predictions, and the score.

        The loss is not finite if training has diverged.
        """
        loss, score = self.measure(self.outputs(params))
        if self.scoring == self.data.targets.score_name or not np.isfinite(loss):
            return loss, score
        return loss, -loss if self.scoring == "loss" else self.call_scorer(params)

    def outputs(self, params):
        """Return the outputs of the network."""
        return forward_in_blocks(self.data.X, params, self.network)

    def measure(self, outputs):
        """Return the loss of the predictions, and the targets' own score."""
        with np.errstate(all="ignore"):
            loss, data = self.network.loss, self.data
            losses = loss.losses(outputs.copy(), data.encoded)
            score = data.targets.score(loss, outputs, data.encoded, self.weight)
            return self.mean(losses), score

    def mean(self, values):
        """Return the mean of a value for each row, by weight."""
        return float(np.average(values, weights=self.weight))

    @np.errstate(all="ignore")
    def calibrate(self, outputs):
        """Return what calibrates the predictions, as attributes of a `TrainingState`, and the loss.

        That is the temperature that minimises the loss of probabilities, the shift of quantiles, or
        nothing.

        A penalty is added to the sum over the rows, so that few of them do not move T far from
        the value that is expected without any. Above it grows as a logarithm: a network that is
        far too sure of its answers can be corrected by a few rows. Below it grows as a square: a
        few right answers are no reason to be surer.

        Returns
        -------
        calibration : dict
        loss : float
        """
        data, outputs = self.data, outputs.astype(np.float64)
        if data.targets.calibration != "temperature":
            shift = {}
            if data.targets.calibration == "shift":
                shift["shift"] = self.network.loss.shift(outputs, data.encoded, self.weight)
                outputs = outputs + shift["shift"]
            return shift, self.mean(self.network.loss.losses(outputs, data.encoded))

        def loss_at(log_t):
            loss = self.network.loss.at_temperature(float(np.exp(log_t)))
            return self.mean(loss.losses(outputs.copy(), data.encoded))

        def objective(log_t):
            distance = (log_t - LOG_TEMPERATURE) / LOG_DISTANCE
            penalty = log1p(distance**2) if distance > 0 else (distance / 4) ** 2
            return loss_at(log_t) + penalty / 2 / data.n

        log_t = minimize_scalar(objective, bounds=(-2, 4), method="bounded").x
        return {"temperature": float(np.exp(log_t))}, loss_at(log_t)

    def call_scorer(self, params):
        scorer = get_scorer(self.scoring)
        # A scikit-learn scorer passes weights on to its metric, which may not accept them.
        accepted = inspect.signature(getattr(scorer, "_score_func", scorer)).parameters
        weight = self.data.weight
        weights = {} if weight is None else {"sample_weight": weight.mean(axis=1)}
        weights = weights if "sample_weight" in accepted else {}
        estimator = copy(self.view)
        estimator.params_ = folded(params, self.network)
        return float(scorer(estimator, self.data.X[:], self.data.y, **weights))
