"""What the defaults look at in X: how much it varies, how collinear it is, whether it is text.

A random sample of the rows decides, so that their order does not matter. A sparse X is described
as the same dense X is.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse

from sknumpynet.data.split import sample

# Numbers of X in the sample, and the rows of it of which all pairs are compared.
SAMPLE_SIZE, PAIRED = 2**20, 500
# The movement from which on features are called collinear.
COLLINEAR = 3000
# A variance below this fraction of the mean square is a rounding error.
ROUNDING = 16 * np.finfo(float).eps


@dataclass(frozen=True)
class Inputs:
    """Statistics of X.

    Parameters
    ----------
    total_variance : float
        Sum of the features' variances: the number of features after standardisation.
    total_square : float
        Sum of the features' mean squares. It is larger if features are far from 0.
    movement : float
        Mean square by which a step of a unit's weights moves its pre-activation, if the step is a
        gradient, scaled to a mean square of 1 for each weight. It equals `total_variance` for
        uncorrelated features of equal variance, and is up to n_features times that if they are
        collinear.
    density : float
        Fraction of the numbers that are not 0.
    unevenness : float
        Standard deviation of how many numbers of a row are not 0, divided by its mean: 0 for
        categories as columns of 0 and 1, and not for texts, which differ in length.
    """

    total_variance: float
    total_square: float
    movement: float
    density: float = 1.0
    unevenness: float = 0.0

    @property
    def is_collinear(self):
        """Whether the steps of a unit's weights add up so much that training may fail."""
        return self.movement > COLLINEAR


@np.errstate(all="ignore")
def describe_inputs(X, rows, weight):
    """Return the `Inputs` of some rows of X.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, n_features)
    rows : ndarray of int
        The rows that have a weight.
    weight : ndarray of shape (n,) or None
    """
    per_row = max(1, (X.nnz if issparse(X) else X.size) // max(1, X.shape[0]))
    rows = sample(rows, max(PAIRED, SAMPLE_SIZE // per_row))
    weight = np.ones(len(rows)) if weight is None else weight[rows]
    weight = weight / weight.sum()
    X = X[rows].astype(np.float64)
    filled = np.asarray((X != 0).sum(axis=1)).ravel()
    density, unevenness = filled.mean() / X.shape[1], filled.std() / max(1e-9, filled.mean())
    mean = np.asarray(weight @ X).ravel()
    if not issparse(X):
        X -= mean
    squares = np.asarray((X.multiply(X) if issparse(X) else X * X).sum(axis=1)).ravel()
    variance = float(weight @ squares) - issparse(X) * float(mean @ mean)
    total_square = variance + float(mean @ mean)
    if variance < ROUNDING * total_square:
        variance = 0.0
    paired = sample(np.arange(len(rows)), PAIRED)
    products = centered_products(X[paired], mean)
    pairs = np.outer(weight[paired], weight[paired])
    np.fill_diagonal(pairs, 0)
    pairs /= np.sum(pairs)
    # Rows that are centered have products of a negative mean, which matters if they are few.
    mean_square = np.sum(pairs * products**2) - np.sum(pairs * products) ** 2
    movement = float(X.shape[1] * mean_square / variance) if variance else 0.0
    return Inputs(variance, total_square, movement, float(density), float(unevenness))


def centered_products(X, mean):
    """Return the products of all pairs of rows, which are centered already if X is dense."""
    if not issparse(X):
        return X @ X.T
    along = X @ mean
    return (X @ X.T).toarray() - along[:, None] - along + mean @ mean
