"""Robust statistics of a feature: what outliers and many equal values do not distort."""

import numpy as np
from scipy.sparse import issparse

# Larger values would overflow on the way.
HUGE = 1e300
# Scaled values stay within [-LIMIT, LIMIT].
LIMIT = 3.0
# The median absolute deviation times this is the standard deviation of a normal distribution.
NORMAL = 1.4826
# A value is a gross error if it is so many times as far from the median as nine tenths of those
# that differ from it.
GROSS = 1000


def present(X, feature, weight):
    """Return the values of a feature that are not missing, nor a sparse zero, and their weights."""
    if issparse(X):
        column = X[:, [feature]].tocoo()
        x, weight = column.data, weight[column.row]
        kept = (x == x) & (x != 0) & (weight > 0)
    else:
        x = X[:, feature]
        kept = (x == x) & (weight > 0)
    return np.clip(x[kept], -HUGE, HUGE), weight[kept]


def describe(x, weight, center=None):
    """Return a feature's center, scale and gross errors, and whether it is binary.

    Parameters
    ----------
    x, weight : ndarray of shape (n,)
        Of the values that are present.
    center : float or None
        If it is given, for sparse X, it counts as one of the values.
    """
    distinct = np.unique(x if center is None else np.append(x, center))
    if len(distinct) <= 2:
        low, high = (distinct[0], distinct[-1]) if len(distinct) else (0.0, 0.0)
        center = low if center is None else center
        scale = (low + high - 2 * center) or 1.0
        return center, scale, GROSS * abs(scale), True
    center = quantiles(x, weight, 0.5) if center is None else center
    away = np.abs(x - center)
    half, most = quantiles(away[away > 0], weight[away > 0], [0.5, 0.9])
    return center, NORMAL * half, GROSS * most, False


def quantiles(x, weight, probabilities):
    """Return weighted quantiles: values of x, so that a weight of k equals k copies."""
    exponent = np.frexp(weight.max(initial=0))[1]
    weight = np.ldexp(weight, -exponent)  # at most 1, or the sum could overflow
    return np.quantile(x, probabilities, weights=weight, method="inverted_cdf")


def divided(u, scale):
    """Return u / scale, but for results beyond `HUGE`, which could overflow."""
    bound = HUGE * np.minimum(np.abs(scale), 1)
    return np.clip(u, -bound, bound) / scale


def clipped(u):
    """Return u / sqrt(1 + (u / LIMIT)^2), which is within [-LIMIT, LIMIT], also for large u."""
    return u / np.hypot(1, u / LIMIT)
