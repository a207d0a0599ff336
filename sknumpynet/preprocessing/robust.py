"""Robust statistics of features: what outliers and many equal values do not distort.

The statistics are computed for many features at a time. ``values`` has one row for each feature and
is nan where there is no value; ``weight`` has the same shape and is 0 there.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse

from sknumpynet.data.moments import GROSS, NORMAL

# Larger values would overflow in the computation.
HUGE = 1e300
# Scaled values stay within [-LIMIT, LIMIT].
LIMIT = 3.0
# Values of X in a block of features; a block has at least one feature.
BLOCK_SIZE = 2**18


class Scaling(NamedTuple):
    """How features are scaled; see `NumericalEncoder` for the formulas.

    Parameters
    ----------
    center, scale, gross : ndarray of shape (n_features,)
    is_binary : ndarray of bool of shape (n_features,)
    """

    center: np.ndarray
    scale: np.ndarray
    gross: np.ndarray
    is_binary: np.ndarray

    @classmethod
    def of(cls, X, weight):
        """Return the scaling of all features; the centers of a sparse X are 0."""
        described = np.empty((4, X.shape[1]))
        center = 0.0 if issparse(X) else None
        for features, values, weights in blocks(X, weight, np.arange(X.shape[1])):
            described[:, features] = describe(values, weights, center)
        center, scale, gross, is_binary = described
        return cls(center, scale, gross, is_binary.astype(bool))

    def apply(self, X, features=np.s_[:]):
        """Return values of these features, scaled and clipped; gross errors become nan."""
        u = np.clip(X, -HUGE, HUGE) - self.center[features]
        u = np.where(np.abs(u) < self.gross[features], u, np.nan)
        u = divided(u, self.scale[features])
        z = np.where(self.is_binary[features], np.clip(u, -LIMIT, LIMIT), clipped(u))
        return z.astype(np.float32)


def blocks(X, weight, features):
    """Yield some features, block by block, with their values and the weights of these.

    Missing values, zeros of a sparse X and rows of weight 0 are left out.

    Parameters
    ----------
    X : ndarray or canonical CSC of shape (n_samples, n_features)
    weight : ndarray of shape (n_samples,)
    features : ndarray of int

    Yields
    ------
    features : ndarray of int of shape (n,)
    values, weight : ndarray of shape (n, n_values)
    """
    n_stored = np.diff(X.indptr) if issparse(X) else np.full(X.shape[1], X.shape[0])
    features = features[np.argsort(-n_stored[features], kind="stable")]  # similar lengths together
    start = 0
    while start < len(features):
        n_values = n_stored[features[start]]
        block = features[start : start + max(1, BLOCK_SIZE // max(1, n_values))]
        start += len(block)
        if issparse(X):
            is_stored = np.arange(n_values) < n_stored[block, None]
            positions = (X.indptr[block, None] + np.arange(n_values))[is_stored]
            values, weights = np.zeros(is_stored.shape), np.zeros(is_stored.shape)
            values[is_stored] = X.data[positions]
            weights[is_stored] = weight[X.indices[positions]]
            is_present = (values != 0) & ~np.isnan(values) & (weights > 0)
        else:
            values = np.ascontiguousarray(X[:, block].T)
            weights = weight
            is_present = ~np.isnan(values) & (weights > 0)
        values = np.where(is_present, np.clip(values, -HUGE, HUGE), np.nan)
        yield block, values, np.where(is_present, weights, 0)


def describe(values, weight, center=None):
    """Return the features' centers, scales and gross errors, and which are binary.

    Parameters
    ----------
    values, weight : ndarray of shape (n, n_values)
    center : float or None
        If it is given, for sparse X, it counts as one of each feature's values.
    """
    # fmin and fmax ignore nan; a feature without any value is constantly 0.
    initial = np.nan if center is None else center
    low = np.nan_to_num(np.fmin.reduce(values, axis=1, initial=initial))
    high = np.nan_to_num(np.fmax.reduce(values, axis=1, initial=initial))
    is_extreme = (values == low[:, None]) | (values == high[:, None])
    is_binary = (is_extreme | np.isnan(values)).all(axis=1)
    if center is not None:
        is_binary &= (low == center) | (high == center)
    centers = low.copy() if center is None else np.full(len(low), center)
    scales = (low - centers) + (high - centers)  # one of the two is 0
    scales[scales == 0] = 1.0
    gross = GROSS * np.abs(scales)

    many = np.flatnonzero(~is_binary)
    values, weight = values[many], weight[many]
    if center is None:
        centers[many] = quantiles(values, weight, [0.5])[:, 0]
    away = np.abs(values - centers[many, None])
    half, most = quantiles(away, np.where(away > 0, weight, 0), [0.5, 0.9]).T
    scales[many], gross[many] = NORMAL * half, GROSS * most
    return centers, scales, gross, is_binary


def quantiles(values, weight, probabilities):
    """Return weighted quantiles of each row: values, so that a weight of k equals k copies.

    They are those of `numpy.quantile` with the method 'inverted_cdf'. Each row of the weights has
    one that is not 0.
    """
    order = np.argsort(values, axis=1)  # nan last
    values = np.take_along_axis(values, order, axis=1)
    weight = np.take_along_axis(weight, order, axis=1)
    exponent = np.frexp(weight.max(axis=1, keepdims=True, initial=0))[1]
    weight = np.ldexp(weight, -exponent)  # at most 1, or the sum could overflow
    cumulated = np.cumsum(weight, axis=1)
    cumulated /= cumulated[:, -1:]
    cumulated[cumulated == 0] = -1  # the quantile 0 is the first value with a weight
    chosen = np.empty((len(values), len(probabilities)), np.intp)
    for row, cdf in enumerate(cumulated):
        chosen[row] = np.searchsorted(cdf, probabilities)
    return np.take_along_axis(values, chosen, axis=1)


def divided(u, scale):
    """Return u / scale, bounded by `HUGE`, beyond which it could overflow."""
    bound = HUGE * np.minimum(np.abs(scale), 1)
    return np.clip(u, -bound, bound) / scale


def clipped(u):
    """Return u / sqrt(1 + (u / LIMIT)^2), which is within [-LIMIT, LIMIT], also for large u."""
    return u / np.hypot(1, u / LIMIT)
