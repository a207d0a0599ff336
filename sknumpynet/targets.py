"""Targets: from the user's labels to what the network is trained on, and the errors that speak of
those labels.
"""

from dataclasses import dataclass
from functools import cached_property
from math import ceil, inf

import numpy as np
from scipy.sparse import issparse
from sklearn.preprocessing import StandardScaler
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from sknumpynet.hashing import row_keys


@dataclass
class Data:
    """What was given to learn from, or to validate with.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, n_features), or Rows of one
    labels : ndarray of shape (n,) or (n, n_labels)
        As the user gave them.
    codes : ndarray
        The labels as the loss wants them.
    weight : ndarray of shape (n, 1) or (n, n_outputs), or None
        What each row, or each of its outputs, counts.
    """

    X: object
    labels: np.ndarray
    codes: np.ndarray
    weight: np.ndarray | None

    @property
    def n(self):
        return self.X.shape[0]

    @property
    def counting(self):
        """Positions of the rows whose weight is not zero."""
        return np.arange(self.n) if self.weight is None else np.flatnonzero(self.weight)

    @cached_property
    def keys(self):
        """A number for each row: the same where X and y are the same."""
        return row_keys(self.X) + row_keys(self.codes.reshape(self.n, -1), seed=1)

    @cached_property
    def spread(self):
        """The features' variances together, of some million numbers of X; inf if X is sparse."""
        if issparse(self.X):
            return inf
        rows = self.counting[:: ceil(self.X.size / 2**20)]
        weight = None if self.weight is None else self.weight[rows, 0]
        return float(StandardScaler().fit(self.X[rows], sample_weight=weight).var_.sum())

    def part(self, rows):
        """Return some rows, those of X not copied."""
        weight = None if self.weight is None else self.weight[rows]
        return Data(Rows(self.X, rows), self.labels[rows], self.codes[rows], weight)


@dataclass
class Rows:
    """Some rows of X, copied when asked for; `forward_in_blocks` asks for few at a time."""

    X: object
    rows: np.ndarray

    @property
    def shape(self):
        return len(self.rows), self.X.shape[1]

    def __getitem__(self, part):
        return self.X[self.rows[part]]

    def astype(self, dtype, copy):
        return self[:].astype(dtype, copy=copy)


def plain(y):
    """Return a pandas Series of integers or booleans with missing values as the NumPy array it is.

    Left alone, scikit-learn would make it float64.
    """
    dtype = getattr(getattr(y, "dtype", None), "numpy_dtype", None)
    if dtype is None or dtype.kind not in "iub" or y.isna().any():
        return y
    return y.to_numpy(dtype=dtype)


def check_targets(y):
    """Return y as 1-D class labels, or as a dense 2-D multilabel indicator.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    if y.ndim == 1:
        return y
    y = y.toarray() if issparse(y) else y
    if type_of_target(y, input_name="y") != "multilabel-indicator":
        raise ValueError(
            f"y of shape {y.shape} is not accepted: y must be 1-D class labels or a 2-D "
            "multilabel indicator of 0 and 1."
        )
    return y


def find_classes(y, classes=None):
    """Return the sorted class labels: of y, or those that `classes` announces.

    Raises
    ------
    ValueError
        If there are fewer than two, or not one for each column of a multilabel y.
    """
    if y.ndim == 2:
        n_announced = y.shape[1] if classes is None else len(np.unique(classes))
        if n_announced != y.shape[1]:
            raise ValueError(f"classes has {n_announced} labels, but y has {y.shape[1]} columns.")
        return np.arange(y.shape[1])
    if classes is None:
        check_classification_targets(y)
    labels = np.unique(y if classes is None else classes)
    if len(labels) < 2:
        raise ValueError(
            f"{'y' if classes is None else 'classes'} has only one class, {labels[0]}: a "
            "classifier needs at least two."
        )
    return labels


def encode(y, classes, name="y"):
    """Return the position of each label of y in `classes`; errors call y by its `name`.

    Raises
    ------
    ValueError
        If a label is not among the classes.
    """
    unseen = set(np.unique(y).tolist()) - set(classes.tolist())
    if unseen:
        raise ValueError(
            f"{name} has labels that are not among the classes: {sorted(unseen)}. The classes are "
            f"{classes}; all must be given in the first call."
        )
    return np.searchsorted(classes, y)
