"""Training and validation data: X, labels, targets and weights."""

from dataclasses import dataclass
from math import ceil, inf

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target

# Numbers of X from which its total variance is estimated.
SAMPLE_SIZE = 2**20


@dataclass
class Data:
    """What is learnt from, or validated with.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, n_features), or RowView of one
    labels : ndarray of shape (n,) or (n, n_labels)
        As the user gave them.
    codes : ndarray
        The targets of the loss: integers (n,) for softmax, 0 and 1 of shape (n, k) otherwise.
    weight : ndarray of shape (n, 1) or (n, n_outputs), or None
        Weight of each row, or of each of its outputs.
    """

    X: object
    labels: np.ndarray
    codes: np.ndarray
    weight: np.ndarray | None

    @property
    def n(self):
        return self.X.shape[0]

    @property
    def nonzero_rows(self):
        """Positions of the rows that have a weight."""
        return np.arange(self.n) if self.weight is None else np.flatnonzero(self.weight.any(axis=1))

    @property
    def total_variance(self):
        """The sum of the features' variances, estimated from some rows; inf for sparse X."""
        if issparse(self.X):
            return inf
        rows = self.nonzero_rows[:: ceil(self.X.size / SAMPLE_SIZE)]
        weight = None
        if self.weight is not None:
            relative = self.weight[rows] / self.weight.max()  # huge weights times X would overflow
            weight = relative.mean(axis=1) if relative.any() else None
        X = self.X[rows].astype(np.float64)
        with np.errstate(over="ignore"):
            X -= np.average(X, axis=0, weights=weight)
            return float(np.average(np.square(X).sum(axis=1), weights=weight))

    def take(self, rows):
        """Return some of the rows; those of X are not copied."""
        weight = None if self.weight is None else self.weight[rows]
        return Data(RowView(self.X, rows), self.labels[rows], self.codes[rows], weight)


@dataclass
class RowView:
    """Some rows of X, copied in blocks when they are needed."""

    X: object
    rows: np.ndarray

    @property
    def shape(self):
        return len(self.rows), self.X.shape[1]

    def __getitem__(self, rows):
        return self.X[self.rows[rows]]

    def astype(self, dtype, copy):
        return self[:].astype(dtype, copy=copy)


@dataclass
class LabelEncoding:
    """How labels become targets.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The sorted labels; 0 .. n_labels - 1 for a multilabel indicator.
    multilabel : bool
    """

    classes: np.ndarray
    multilabel: bool

    @property
    def n_outputs(self):
        return 1 if len(self.classes) == 2 and not self.multilabel else len(self.classes)

    @property
    def loss(self):
        """Name of the loss, and of the output activation."""
        return "logistic" if self.multilabel or len(self.classes) == 2 else "softmax"

    def encode(self, y, name="y"):
        """Return the targets of the loss; errors call y by its `name`.

        Raises
        ------
        ValueError
            If a label is not among the classes.
        """
        if self.multilabel:
            return y.astype(np.uint8)
        unseen = set(np.unique(y).tolist()) - set(self.classes.tolist())
        if unseen:
            raise ValueError(
                f"{name} has labels that are not among the classes: {sorted(unseen)}. The classes "
                f"are {self.classes}; all must be given in the first call."
            )
        codes = np.searchsorted(self.classes, y)
        return codes if self.loss == "softmax" else codes.astype(np.uint8)[:, None]

    def class_sums(self, codes, weight):
        """Return the sum of weights of each class, in each column of the targets.

        Parameters
        ----------
        codes : ndarray of shape (n,) or (n, n_columns)
        weight : ndarray of shape (n, 1) or None

        Returns
        -------
        sums : ndarray of shape (n_columns, n_classes)
        """
        n_classes = 2 if self.multilabel else len(self.classes)
        weight = None if weight is None else weight[:, 0]
        columns = codes.reshape(len(codes), -1).T
        return np.stack([np.bincount(c, weight, n_classes) for c in columns]).astype(float)

    def class_weights(self, class_weight, sums):
        """Return the weight of each class, in each column of the targets, (n_columns, n_classes).

        Parameters
        ----------
        class_weight : 'balanced' or dict
            A dict from label to weight, 1 where a label is missing; 'balanced' gives the classes
            that occur in a column the same sum of weights, and keeps the column's total.
        sums : ndarray of shape (n_columns, n_classes)
            As returned by `class_sums`.

        Raises
        ------
        ValueError
            If a label of `class_weight` is not among the classes.
        """
        if isinstance(class_weight, str):
            mean = sums.sum(axis=1, keepdims=True) / (sums > 0).sum(axis=1, keepdims=True)
            return mean / np.where(sums > 0, sums, mean)
        labels = [0, 1] if self.multilabel else self.classes.tolist()
        unknown = set(class_weight) - set(labels)
        if unknown:
            raise ValueError(
                f"class_weight has labels that are not among the classes: {unknown}. The classes "
                f"are {labels}."
            )
        weights = [class_weight.get(label, 1.0) for label in labels]
        return np.broadcast_to(np.array(weights, float), sums.shape)


@np.errstate(over="ignore", invalid="ignore")
def combine_weights(encoding, data, class_weight, sums):
    """Return sample weights times class weights, (n, n_columns).

    Raises
    ------
    ValueError
        If they are all 0, or their sum overflows.
    """
    per_class = encoding.class_weights(class_weight, sums)
    weights = per_class[np.arange(len(sums)), data.codes.reshape(data.n, -1)]
    weights = weights if data.weight is None else weights * data.weight
    if not 0 < (total := weights.sum()) < inf:
        raise ValueError(f"The sum of class_weight times sample_weight is {total}: change them.")
    return weights


def check_targets(y, name="y"):
    """Return y as 1-D class labels, or as a dense 2-D multilabel indicator of 0 and 1.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    if y.ndim == 1:
        check_classification_targets(y)
        return y
    y = y.toarray() if issparse(y) else y
    indicator = type_of_target(y, input_name=name) == "multilabel-indicator"
    if not indicator or not np.isin(y, (0, 1)).all():
        values = f" with values {np.unique(y)[:5]}" if indicator else ""
        raise ValueError(
            f"{name} of shape {y.shape}{values} is not accepted: it must be 1-D class labels or a "
            "2-D multilabel indicator of 0 and 1."
        )
    return y


def find_encoding(y, classes=None):
    """Return the encoding of y's labels, or of those that `classes` announces.

    Raises
    ------
    ValueError
        If `classes` has not one label for each column of a multilabel y.
    """
    if y.ndim == 1:
        return LabelEncoding(np.unique(y if classes is None else classes), False)
    n_announced = y.shape[1] if classes is None else len(np.unique(classes))
    if n_announced != y.shape[1]:
        raise ValueError(f"classes has {n_announced} labels, but y has {y.shape[1]} columns.")
    return LabelEncoding(np.arange(y.shape[1]), True)


@np.errstate(over="ignore")
def check_weight(sample_weight, n, name="sample_weight"):
    """Return the sample weights as float64 of shape (n, 1), or None.

    Raises
    ------
    ValueError
        If they are not one finite number >= 0 for each of the n rows, or add up to 0 or inf.
    """
    if sample_weight is None:
        return None
    weight = check_array(sample_weight, dtype=np.float64, ensure_2d=False, input_name=name)
    if weight.shape != (n,):
        raise ValueError(
            f"{name} of shape {weight.shape} is not accepted: it must have one number for each of "
            f"the {n} rows. Pass classes by keyword, classes=..."
        )
    if weight.min() < 0:
        raise ValueError(f"{name} holds {weight.min()}: every weight must be >= 0.")
    if not 0 < (total := weight.sum()) < inf:
        problem = "too large: its sum is inf" if total else "all zero: at least one row must count"
        raise ValueError(f"{name} is {problem}.")
    return weight[:, None]
