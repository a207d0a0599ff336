"""The bases in which a network may be trained, each made from its training rows."""

import numpy as np
from scipy.sparse import issparse

from sknumpynet.core.basis import Basis, find_basis
from sknumpynet.data.split import sample
from sknumpynet.settings.presets import REFERENCE_VARIANCE

# A table with more features than rows, and at most this many rows, is wide.
WIDE_ROWS = 1000
# Principal components are found from at most WIDE_ROWS rows and SMALL numbers.
SMALL = 2**23
# Half way to equal variances of the components.
HALF_WAY = 0.25
# Total variance that a network starts with if it could not fit its training rows before.
ENLARGED = 8 * REFERENCE_VARIANCE


def is_wide(X):
    """Tell whether there are more features than rows, but not too many numbers."""
    n, n_features = X.shape
    return n < n_features and n <= WIDE_ROWS and has_small_sample(X)


def has_small_sample(X):
    """Tell whether a dense sample of the rows has few enough numbers."""
    n, n_features = X.shape
    return min(n, WIDE_ROWS) * n_features <= SMALL


def dense_sample(X, rows):
    """Return some of the rows as a dense float64 array."""
    X = X[sample(rows, WIDE_ROWS)]
    return (X.toarray() if issparse(X) else X).astype(np.float64)


def rotation(X, dtype):
    """Return the basis of all principal components, with their variances as they are."""
    return find_basis(X, 0.0, REFERENCE_VARIANCE, dtype)


def principal_components(X, dtype):
    """Return the basis of principal components whose variances are closer together."""
    return find_basis(X, HALF_WAY, REFERENCE_VARIANCE, dtype)


@np.errstate(all="ignore")
def enlarged(X, dtype):
    """Return a basis of the features themselves, centered, with a large total variance."""
    center = X.mean(axis=0)
    variance = max(float(np.sum(X.var(axis=0))), np.finfo(dtype).tiny)
    scale = np.sqrt(ENLARGED / variance) * np.eye(len(center))
    return Basis.around(center, scale, dtype)
