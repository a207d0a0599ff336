"""What happens between two epochs: the record, the held-out rows, and whether to stop."""

from copy import copy
from math import inf, isfinite, nan
from time import perf_counter

import numpy as np
from sklearn.metrics import get_scorer
from sklearn.model_selection import train_test_split

from sknumpynet.network import forward_in_blocks
from sknumpynet.training import Patience


def split(data, fraction, rng):
    """Return the positions of training and validation rows, stratified if every class allows it.

    Equal rows are one row here: all on one side, so that no validation row was trained on, and what
    is held out does not depend on whether a row is there twice or has weight 2. Rows of weight 0
    are on neither side.

    Raises
    ------
    ValueError
        If there would be fewer than 2 different validation rows.
    """
    rows = data.counting
    _, first, number = np.unique(data.keys[rows], return_index=True, return_inverse=True)
    n = len(first)
    n_val = int(np.ceil(fraction * n))
    if n_val < 2 or n - n_val < 1:
        raise ValueError(
            f"The validation set is too small: validation_fraction={fraction} of {n} different "
            f"samples is {n_val}, and at least 2 are needed, with some left to train on. Change "
            "validation_fraction, or give X_val and y_val."
        )
    stratify = None
    if data.labels.ndim == 1:
        labels = data.labels[rows[first]]
        counts = np.unique(labels, return_counts=True)[1]
        if counts.min() >= 2 and len(counts) <= min(n_val, n - n_val):
            stratify = labels
    parts = train_test_split(np.arange(n), test_size=n_val, random_state=rng, stratify=stratify)
    return [rows[np.isin(number, part)] for part in parts]


class HeldOut:
    """Rows that training does not see, and what they say of a model.

    Parameters
    ----------
    data : Data
    scoring : str or callable
    """

    def __init__(self, data, scoring):
        self.data, self.scoring = data, scoring

    def evaluate(self, model, backprop):
        """Return the loss (of the predicted probabilities) and the score of `model` in training."""
        data, params = self.data, backprop.params
        weight = None if data.weight is None else data.weight.mean(axis=1)
        logits = forward_in_blocks(data.X, params, model._sizes, backprop.activation)
        if self.scoring == "accuracy":
            right = (backprop.loss.decide(logits) == data.codes).reshape(data.n, -1).all(axis=1)
            score = float(np.average(right, weights=weight))
        loss = float(np.average(backprop.loss.log_losses(logits, data.codes), weights=weight))
        if self.scoring == "loss":
            score = -loss
        elif self.scoring != "accuracy":
            score = self._score(model, params, weight)
        return loss, score

    def _score(self, model, params, weight):
        view = copy(model)
        view.params_ = params
        vars(view).pop("feature_names_in_", None)  # X is a plain array
        weights = {} if weight is None else {"sample_weight": weight}
        X, y = self.data.X[:], self.data.labels
        return float(get_scorer(self.scoring)(view, X, y, **weights))


class Monitor:
    """Keeps the record of a model in training, and tells when to stop.

    Parameters
    ----------
    model : NumpyMLPClassifier
        Its record grows; its ``params_`` become a copy of those of each good epoch or, with
        ``early_stopping``, of the best one.
    settings : NumpyMLPClassifier
        Has its hyper-parameters, settled.
    backprop : Backprop
        Holds the parameters in training, and the loss.
    n_rows : int
        Of one epoch.
    rate : Rate
        Is lowered, where it can be, before patience ends training.
    held_out : HeldOut or None
    """

    def __init__(self, model, settings, backprop, n_rows, rate, held_out=None):
        self.model, self.settings, self.backprop = model, settings, backprop
        self.n_rows, self.rate, self.held_out = n_rows, rate, held_out
        self.patience = Patience(settings.tol, settings.n_iter_no_change)
        self.best_score = -inf
        self.start = self.lap = perf_counter()
        if held_out is not None and model.validation_scores_ is None:
            model.validation_scores_ = []

    def after(self, loss, learning_rate):
        """Take note of an epoch; return why to stop, or None.

        Raises
        ------
        ValueError
            If the loss is not finite.
        """
        model, settings = self.model, self.settings
        epoch = len(model.loss_curve_) + 1
        if not isfinite(loss):
            raise ValueError(
                f"The loss is not finite any more in epoch {epoch}. Lower learning_rate_init="
                f"{settings.learning_rate_init!r}, and scale X, for instance with StandardScaler."
            )
        val_loss = score = nan
        if self.held_out is not None:
            val_loss, score = self.held_out.evaluate(model, self.backprop)
        watched = -score if settings.early_stopping else loss
        if not settings.early_stopping or score > self.best_score or model.n_iter_ == 0:
            model.params_ = self.backprop.params.copy()
        now = perf_counter()
        seconds, self.lap = now - self.lap, now
        values = epoch, loss, learning_rate, seconds, val_loss, score
        for column, value in zip(model.history_.values(), values, strict=True):
            column.append(value)
        self._set_attributes(loss, score)
        if model.verbose:
            held_out = f", validation loss = {val_loss:.6f}, score = {score:.6f}"
            held_out = "" if self.held_out is None else held_out
            print(f"Iteration {model.n_iter_}, loss = {loss:.8f}{held_out}, {seconds:.2f} s")
        return self._why_stop(watched)

    def _set_attributes(self, loss, score):
        model = self.model
        model.n_iter_ += 1
        model.t_ += self.n_rows
        model.loss_ = loss
        model.loss_curve_.append(loss)
        best = inf if model.best_loss_ is None else model.best_loss_
        model.best_loss_ = None if self.settings.early_stopping else min(best, loss)
        if self.held_out is not None:
            model.validation_scores_.append(score)
            model.best_validation_score_ = self.best_score = max(self.best_score, score)

    def _why_stop(self, watched):
        model, settings, reason = self.model, self.settings, None
        if self.patience.exhausted(watched):
            if self.rate.lower():
                self.patience.count = 0
            else:
                what = "Validation score" if settings.early_stopping else "Training loss"
                n = self.patience.count
                reason = f"{what} did not improve by tol={settings.tol} in {n} epochs"
        if settings.max_time is not None and self.lap - self.start >= settings.max_time:
            reason = f"max_time={model.max_time} seconds are over"
        if model.verbose and reason:
            print(f"{reason}. Stopping.")
        return reason
