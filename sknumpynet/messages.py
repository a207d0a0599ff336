"""Warnings that point at the user's line."""

import warnings
from sys import _getframe

from scipy.sparse import issparse

from sknumpynet.defaults import is_auto

# Warnings point at the first caller outside of these packages.
INTERNAL = {"sknumpynet", "sklearn", "joblib", "pickle", "skops"}
# The tuned preset warns if the features' root mean square deviation exceeds this.
LARGE_DEVIATION = 1000


def warn_user(message, category=UserWarning):
    """Warn at the first line on the call stack that is outside of these packages."""
    frame, level = _getframe(1), 2
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in INTERNAL:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def warn_about(estimator, data):
    """Warn of a batch that is too large, and of features that need scaling."""
    if (
        not is_auto(estimator.batch_size)
        and estimator.batch_size > data.n
        and estimator.solver != "lbfgs"
    ):
        warn_user(f"batch_size={estimator.batch_size} is clipped to the {data.n} samples.")
    if estimator.preset == "tuned" and not issparse(data.X):
        deviation = (data.total_variance / data.X.shape[1]) ** 0.5
        if deviation > LARGE_DEVIATION:
            warn_user(
                f"The features of X deviate by {deviation:.3g} from their means, in the root "
                "mean square. A network learns little from unscaled features: put a "
                "StandardScaler in front of it, in a Pipeline."
            )
