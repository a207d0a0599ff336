"""Warnings that point at the user's line."""

import warnings
from math import inf
from sys import _getframe

import numpy as np
from scipy.sparse import issparse
from scipy.special import entr

from sknumpynet.defaults import is_auto

# Warnings point at the first caller outside of these packages.
INTERNAL = {"sknumpynet", "sklearn", "joblib", "pickle", "skops"}
# The tuned preset warns if the features' root mean square deviation exceeds this.
LARGE_DEVIATION = 1000
# Validation data whose variance is so many times that of X were probably not scaled as X was.
VARIANCE_RATIO = 100
# A training of at least so many epochs that begins with a pilot run is expected not to be worse, by
# this loss, than a constant prediction.
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
    if issparse(data.X) or (estimator.preset != "tuned" and validation is None):
        return
    variance = data.total_variance
    if estimator.preset == "tuned":
        deviation = (variance / data.X.shape[1]) ** 0.5
        if deviation > LARGE_DEVIATION:
            warn_user(
                f"The features of X deviate by {deviation:.3g} from their means, in the root "
                "mean square. A network learns little from unscaled features: put a "
                "StandardScaler in front of it, in a Pipeline."
            )
    if validation is not None:
        of_validation = validation.total_variance
        if VARIANCE_RATIO * variance < of_validation < inf:
            warn_user(
                f"The variance of X_val, {of_validation:.3g}, is more than {VARIANCE_RATIO} times "
                "that of X. Transform X_val as X; in a Pipeline by transform_input=['X_val'] and "
                "metadata routing."
            )


def warn_of_chance(model, class_sums):
    """Warn if a long enough training ended with a loss that a constant prediction undercuts.

    With class weights, which change that loss, there is no warning.

    Parameters
    ----------
    model : NumpyMLPClassifier
        Fitted.
    class_sums : ndarray of shape (n_columns, n_classes)
        Sum of weights of each class, in each column of the targets.
    """
    frequencies = class_sums / class_sums.sum(axis=1, keepdims=True)
    chance = float(np.sum(entr(frequencies)))
    is_long = model.settings_["pilot_run"] and model.n_iter_ >= ENOUGH_EPOCHS
    if is_long and model.class_weight is None and model.loss_ > chance + MARGIN:
        warn_user(
            f"The training loss, {model.loss_:.3g}, is above {chance:.3g}, the loss of predicting "
            "the class frequencies. Put a StandardScaler in front of the network, in a Pipeline, "
            "or lower learning_rate_init."
        )
