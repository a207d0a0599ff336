"""Targets and weights: from the user's labels to what the network is trained on, and the errors
that speak of those labels.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target


@dataclass
class Data:
    """What was given to learn from, or to validate with.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, n_features)
    labels : ndarray of shape (n,) or (n, n_labels)
        As the user gave them.
    codes : ndarray
        The labels as the loss wants them.
    weight : ndarray of shape (n, 1) or None
        Sample weights.
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

    def part(self, rows):
        """Return a copy of some rows."""
        weight = None if self.weight is None else self.weight[rows]
        return Data(self.X[rows], self.labels[rows], self.codes[rows], weight)


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


def class_masses(codes, weight, n_classes):
    """Return how much each class weighs in each column of `codes`.

    Parameters
    ----------
    codes : ndarray of int of shape (n,) or (n, n_columns)
    weight : ndarray of shape (n, 1) or None
    n_classes : int

    Returns
    -------
    masses : ndarray of shape (n_columns, n_classes)
    """
    weight = None if weight is None else weight[:, 0]
    columns = codes.reshape(len(codes), -1).T
    return np.stack([np.bincount(column, weight, n_classes) for column in columns]).astype(float)


def weigh_classes(class_weight, classes, masses, codes, weight):
    """Return weights (n, n_columns): those of the rows times those of their classes.

    Parameters
    ----------
    class_weight : 'balanced' or dict
        A dict from label to weight, 1 where a label is missing; 'balanced' gives the classes that
        occur in a column the same sum of weights, and keeps the column's total.
    classes : ndarray of shape (n_classes,)
    masses : ndarray of shape (n_columns, n_classes)
    codes : ndarray of int of shape (n,) or (n, n_columns)
    weight : ndarray of shape (n, 1) or None

    Raises
    ------
    ValueError
        If a label of `class_weight` is not among the classes, or if all weights become zero.
    """
    if isinstance(class_weight, str):
        share = masses.sum(axis=1, keepdims=True) / (masses > 0).sum(axis=1, keepdims=True)
        per_class = share / np.where(masses > 0, masses, share)
    else:
        labels = classes.tolist()
        unknown = set(class_weight) - set(labels)
        if unknown:
            raise ValueError(
                f"class_weight has labels that are not among the classes: {unknown}. The classes "
                f"are {classes}."
            )
        weights = [class_weight.get(label, 1.0) for label in labels]
        per_class = np.broadcast_to(np.array(weights, float), masses.shape)
    weights = per_class[np.arange(len(masses)), codes.reshape(len(codes), -1)]
    weights = weights if weight is None else weights * weight
    if not weights.any():
        raise ValueError("class_weight and sample_weight leave every row with weight 0.")
    return weights


def check_weight(sample_weight, n, name="sample_weight"):
    """Return the sample weights as float64 of shape (n, 1), or None.

    Raises
    ------
    ValueError
        If they are not one finite number >= 0 for each of the n rows, or all zero.
    """
    if sample_weight is None:
        return None
    weight = check_array(sample_weight, dtype=np.float64, ensure_2d=False, input_name=name)
    if weight.shape != (n,):
        raise ValueError(
            f"{name} of shape {weight.shape} is not accepted: it must have one number for each of "
            f"the {n} rows. Classes go by keyword, classes=..."
        )
    if weight.min() < 0:
        raise ValueError(f"{name} holds {weight.min()}: every weight must be >= 0.")
    if not weight.any():
        raise ValueError(f"{name} is all zero: at least one row must count.")
    return weight[:, None]
