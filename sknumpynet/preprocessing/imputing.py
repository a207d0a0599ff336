"""Imputation by the nearest donors, for many features at a time."""

import numpy as np
from sklearn.impute import KNNImputer
from sklearn.metrics.pairwise import nan_euclidean_distances
from sklearn.utils import gen_batches

# Rows that are scaled, or transformed, at a time.
BLOCK = 4096
# Pairs of a missing value and a donor in a block.
BLOCK_SIZE = 2**20
# First WIDER times as many nearest donors are looked at as there are neighbors. If too few of them
# have the value, WIDER times as many.
WIDER = 4


def fit_imputer(scaling, X, rows, donors):
    """Return an imputer of scaled features; None if nothing is missing and no error is gross.

    Parameters
    ----------
    scaling : Scaling
    X : ndarray of shape (n_samples, n_features)
    rows, donors : ndarray of int
        Where something may be missing, and the rows to impute from.
    """
    blocks = (scaling.apply(X[rows[block]]) for block in gen_batches(len(rows), BLOCK))
    if any(np.isnan(block).any() for block in blocks):
        return KNNImputer(keep_empty_features=True).fit(scaling.apply(X[donors]))
    return None


def impute(imputer, Z):
    """Return ``imputer.transform(Z)``, for a KNNImputer with empty features and uniform weights.

    KNNImputer takes the features one by one, which is slow for thousands of them. The values may
    differ where several donors are equally far.
    """
    donors = imputer._fit_X
    is_known = ~np.isnan(donors)
    Z = np.where(is_known.any(axis=0), Z, np.float32(0))
    rows = np.flatnonzero(np.isnan(Z).any(axis=1))
    if len(rows) == 0:
        return Z
    distances = nan_euclidean_distances(Z[rows], donors)  # nan without a common feature
    n_near = np.count_nonzero(~np.isnan(distances), axis=1)
    means = np.where(is_known, donors, 0).sum(axis=0) / np.maximum(1, is_known.sum(axis=0))
    row, feature = np.nonzero(np.isnan(Z[rows]))
    n_seen = WIDER * imputer.n_neighbors
    while len(row):
        nearest = nearest_columns(distances, n_seen)
        is_short = np.zeros(len(row), bool)
        for block in gen_batches(len(row), max(1, BLOCK_SIZE // n_seen)):
            i, j = row[block], feature[block]
            seen = nearest[i]
            is_donor = is_known[seen, j[:, None]] & (np.arange(seen.shape[1]) < n_near[i, None])
            is_donor &= np.cumsum(is_donor, axis=1) <= imputer.n_neighbors
            n_donors = is_donor.sum(axis=1)
            total = np.where(is_donor, donors[seen, j[:, None]], 0).sum(axis=1)
            Z[rows[i], j] = np.where(n_donors > 0, total / np.maximum(1, n_donors), means[j])
            is_short[block] = n_donors < imputer.n_neighbors
        is_short &= n_seen < n_near[row]
        row, feature, n_seen = row[is_short], feature[is_short], WIDER * n_seen
    return Z


def nearest_columns(distances, n):
    """Return the columns of the n smallest distances of each row, or of all, in ascending order."""
    if n >= distances.shape[1]:
        return np.argsort(distances, axis=1)
    nearest = np.argpartition(distances, n, axis=1)[:, :n]
    order = np.argsort(np.take_along_axis(distances, nearest, axis=1), axis=1)
    return np.take_along_axis(nearest, order, axis=1)
