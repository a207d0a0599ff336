"""Warnings about a fit that may not give what the user expects, each with its remedy."""

from math import inf

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknumpynet.core.schedules import ANNEALING
from sknumpynet.data.moments import GROSS
from sknumpynet.settings.presets import is_auto
from sknumpynet.versioning import warn_user

# The tuned preset warns if the features' root mean square deviation exceeds this, or if their root
# mean square is this many times their deviation, or if their total variance is below this. A root
# mean square of more than CONSTANT times the deviation is that of constant features.
LARGE_DEVIATION, LARGE_OFFSET, SMALL_VARIANCE, CONSTANT = 1000, 10, 1e-3, 1e12
# Validation data whose variance is VARIANCE_RATIO times that of X were probably not scaled as X.
VARIANCE_RATIO = 100
# A training of at least ENOUGH_EPOCHS that begins with a pilot run is expected to learn, and not to
# end worse than a constant prediction by more than MARGIN.
ENOUGH_EPOCHS, MARGIN = 10, 0.1
# A time limit that ends training before ENOUGH_EPOCHS was too short if the training loss is still
# more than this fraction of that of a constant prediction.
HARDLY_LEARNT = 0.5


def warn_about(estimator, data, validation):
    """Warn of a batch that is too large, and of features that need scaling."""
    if (
        not is_auto(estimator.batch_size)
        and estimator.batch_size > data.n
        and estimator.solver != "lbfgs"
    ):
        warn_user(f"batch_size={estimator.batch_size} is clipped to the {data.n} samples.")
    if estimator.preset == "tuned" and not data.targets.are_classes:
        warn_of_gross_errors(estimator, data.y[data.nonzero_rows])
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


def warn_of_gross_errors(estimator, y):
    """Warn of numbers that are so far from the others that their squares decide alone."""
    if estimator.loss != "squared_error":
        return
    for column in y.reshape(len(y), -1).T:
        halves = column / 2  # which do not overflow
        distances = np.abs(halves - np.median(halves))
        if not distances.any():
            continue
        with np.errstate(over="ignore"):
            times = distances.max() / np.quantile(distances[distances > 0], 0.9)
        if times > GROSS:
            warn_user(
                f"y has the value {column[distances.argmax()]:.3g}, {times:.3g} times as far from "
                "the median as nearly all others. With loss='squared_error' it decides what the "
                "network learns. Correct it, or use loss='huber' or 'absolute_error'."
            )


def warn_of_chance(model, has_learnt, targets):
    """Warn if a prediction that does not look at X is as good as the network, or better.

    Parameters
    ----------
    model : estimator
        Fitted.
    has_learnt : bool
        Whether the network of the pilot run was better on the rows that were held out.
    targets : ClassTargets
        Of all that was trained on.
    """
    remedy = (
        "Put NumericalEncoder() in front of the network. If it is there already, try "
        "solver='lbfgs' or more effort."
    )
    chance, constant = targets.chance(), targets.constant_prediction
    is_weighted = model.class_weight is not None
    is_long = model.settings_["pilot_epochs"] and model.n_iter_ >= ENOUGH_EPOCHS
    if is_long and not has_learnt:
        warn_user(
            f"For rows that it was not trained on, the network predicts no better than "
            f"{constant}. {remedy} y may also have little to do with X."
        )
    # Class weights change the loss of the class frequencies.
    elif is_long and not is_weighted and model.loss_ > chance + MARGIN:
        warn_user(
            f"The training loss, {model.loss_:.3g}, is above {chance:.3g}, the loss of predicting "
            f"{constant}. {remedy} Or lower learning_rate_init."
        )


def warn_of_overfitting(model, targets):
    """Warn if a network that was trained to the end predicts `X_val` worse than a constant does."""
    loss, chance = model.history_["validation_loss"][-1], targets.chance()  # nan without X_val
    chooses_epoch = model.early_stopping or model.settings_["pilot_epochs"]
    is_long = model.n_iter_ >= ENOUGH_EPOCHS and not chooses_epoch
    if is_long and model.class_weight is None and loss > chance + MARGIN:
        warn_user(
            f"The validation loss, {loss:.3g}, is above {chance:.3g}, the loss of predicting "
            f"{targets.constant_prediction}. Pass early_stopping=True, which keeps the best epoch, "
            "or leave out X_val, so that a pilot run finds out how long to train."
        )


def warn_of_time(model, config, targets):
    """Warn if `max_time` has ended the training of a fitted model before it learnt much."""
    is_short = model.max_time is not None and model.n_iter_ < min(ENOUGH_EPOCHS, config.max_iter)
    chance, constant = targets.chance(), targets.constant_prediction
    if is_short and model.loss_ > HARDLY_LEARNT * chance:
        warn_user(
            f"max_time={model.max_time} has ended training after n_iter_={model.n_iter_} epochs, "
            f"with a training loss of {model.loss_:.3g}; that of {constant} is {chance:.3g}. Raise "
            "max_time."
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
