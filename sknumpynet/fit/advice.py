"""Warnings that point at the user's line."""

import warnings
from math import inf
from sys import _getframe

import numpy as np
from scipy.special import entr
from sklearn.exceptions import ConvergenceWarning

from sknumpynet.core.schedules import ANNEALING
from sknumpynet.defaults import is_auto

# Warnings point at the first caller outside of these packages.
INTERNAL = {"sknumpynet", "sklearn", "joblib", "pickle", "skops"}
# The tuned preset warns if the features' root mean square deviation exceeds this, or if their root
# mean square is this many times their deviation, or if their total variance is below this. A root
# mean square of more than CONSTANT times the deviation is that of constant features.
LARGE_DEVIATION, LARGE_OFFSET, SMALL_VARIANCE, CONSTANT = 1000, 10, 1e-3, 1e12
# Validation data whose variance is so many times that of X were probably not scaled as X was.
VARIANCE_RATIO = 100
# If a training of at least so many epochs begins with a pilot run, it is expected to learn, and not
# to end worse than a constant prediction, by this loss.
ENOUGH_EPOCHS, MARGIN = 10, 0.1


def warn_user(message, category=UserWarning):
    """Warn at the first line on the call stack that is outside of these packages."""
    frame, level = _getframe(1), 2
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in INTERNAL:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def warn_about(estimator, data, validation):
    """Warn of a batch that is too large, and of features that need scaling."""
    if (
        not is_auto(estimator.batch_size)
        and estimator.batch_size > data.n
        and estimator.solver != "lbfgs"
    ):
        warn_user(f"batch_size={estimator.batch_size} is clipped to the {data.n} samples.")
    if estimator.preset != "tuned" and validation is None:
        return
    variance = data.inputs.total_variance
    if estimator.preset == "tuned":
        deviation = (variance / data.X.shape[1]) ** 0.5
        offset = (data.inputs.total_square / variance) ** 0.5 if variance > 0 else inf
        if deviation > LARGE_DEVIATION or 0 < variance < SMALL_VARIANCE:
            warn_user(
                f"X is not scaled (RMS deviation {deviation:.2g}). Put NumericalEncoder() in front "
                "of the network."
            )
        elif LARGE_OFFSET < offset < CONSTANT:
            warn_user(
                f"X is not scaled (RMS value {offset:.2g} times the RMS deviation). Put "
                "NumericalEncoder() in front of the network."
            )
    if validation is not None:
        of_validation = validation.inputs.total_variance
        if VARIANCE_RATIO * variance < of_validation < inf:
            warn_user(
                f"The variance of X_val, {of_validation:.3g}, is more than {VARIANCE_RATIO} times "
                "that of X. Transform X_val as X; in a Pipeline by transform_input=['X_val'] and "
                "metadata routing."
            )


def warn_of_chance(model, has_learnt, class_sums):
    """Warn if predicting the class frequencies is as good as the network, or better.

    Parameters
    ----------
    model : NumpyMLPClassifier
        Fitted.
    has_learnt : bool
        Whether the network of the pilot run was better on the rows that were held out.
    class_sums : ndarray of shape (n_columns, n_classes)
        Sum of weights of each class, in each column of the targets.
    """
    remedy = (
        "Put NumericalEncoder() in front of the network. If it is there already, try "
        "solver='lbfgs' or more effort."
    )
    frequencies = class_sums / class_sums.sum(axis=1, keepdims=True)
    chance = float(np.sum(entr(frequencies)))
    is_long = model.settings_["pilot_epochs"] and model.n_iter_ >= ENOUGH_EPOCHS
    if is_long and not has_learnt:
        warn_user(
            "For rows that it was not trained on, the network predicts no better than the class "
            f"frequencies do. {remedy} y may also have little to do with X."
        )
    # Class weights change the loss of the class frequencies.
    elif is_long and model.class_weight is None and model.loss_ > chance + MARGIN:
        warn_user(
            f"The training loss, {model.loss_:.3g}, is above {chance:.3g}, the loss of predicting "
            f"the class frequencies. {remedy} Or lower learning_rate_init."
        )


def warn_of_limit(model, config):
    """Warn if a limit of the epochs or evaluations has ended the training of a fitted model."""
    is_last = model.n_iter_ == config.max_iter
    if config.learning_rate in ANNEALING or (config.pilot_epochs and not is_last):
        return
    limit = "max_iter" if is_last else "max_fun"
    is_tuned = model.preset == "tuned" and model.solver != "lbfgs"
    remedy = "effort" if is_tuned and is_auto(model.max_iter) else limit
    warn_user(
        f"Training ended after n_iter_={model.n_iter_} epochs, the limit by {limit}, while the "
        f"loss was still improving. Raise {remedy} or tol if this matters.",
        ConvergenceWarning,
    )
