"""Training and validation data: X, labels, targets and weights."""

from dataclasses import dataclass, field
from math import inf

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from sknumpynet.inputs import describe_inputs
from sknumpynet.labels import read_labels
from sknumpynet.split import duplicates


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
    computed: dict = field(default_factory=dict, init=False, repr=False)

    @property
    def n(self):
        return self.X.shape[0]

    @property
    def nonzero_rows(self):
        """Positions of the rows that have a weight."""
        return np.arange(self.n) if self.weight is None else np.flatnonzero(self.weight.any(axis=1))

    @property
    def distinct(self):
        """Each distinct row's first copy, and each row's, among those that have a weight."""
        return self.once("distinct", lambda: duplicates(self.X, self.nonzero_rows))

    @property
    def n_distinct(self):
        """Distinct rows that have a weight."""
        return len(self.distinct[0])

    @property
    def inputs(self):
        """Statistics of the rows of X that have a weight, estimated from some of them."""
        rows, weight = self.nonzero_rows, self.relative_weight
        return self.once("inputs", lambda: describe_inputs(self.X, rows, weight))

    def once(self, name, compute):
        """Return what `compute` returned the first time.

        Before Python 3.12 a cached_property has a lock, which a forked process may find held.
        """
        if name not in self.computed:
            self.computed[name] = compute()
        return self.computed[name]

    @property
    def relative_weight(self):
        """Weight of each row, (n,), as a fraction of the largest: its sum cannot overflow."""
        return None if self.weight is None else (self.weight / self.weight.max()).mean(axis=1)

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

    def fits(self, y):
        """Tell whether labels of this shape are encoded: 1-D, or one column for each label."""
        return y.shape[1:] == (len(self.classes),) if self.multilabel else y.ndim == 1

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
        codes = np.searchsorted(self.classes, y.astype(self.classes.dtype))
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
            If a key of `class_weight` is no label, or not among the classes.
        """
        if isinstance(class_weight, str):
            mean = sums.sum(axis=1, keepdims=True) / (sums > 0).sum(axis=1, keepdims=True)
            return mean / np.where(sums > 0, sums, mean)
        labels = [0, 1] if self.multilabel else self.classes.tolist()
        read_labels(list(class_weight), "class_weight")
        unknown = set(class_weight) - set(labels)
        if unknown:
            raise ValueError(
                f"class_weight has labels that are not among the classes: {unknown}. The classes "
                f"are {labels}."
            )
        weights = [class_weight.get(label, 1.0) for label in labels]
        return np.broadcast_to(np.array(weights, float), sums.shape)


@np.errstate(all="ignore")
def combine_weights(encoding, data, class_weight, sums, name="sample_weight"):
    """Return sample weights times class weights, (n, n_columns).

    Raises
    ------
    ValueError
        If they are all 0, or their sum is too large for float64.
    """
    per_class = encoding.class_weights(class_weight, sums)
    per_class = per_class[np.arange(len(sums)), data.codes.reshape(data.n, -1)]
    weight = 1.0 if data.weight is None else data.weight
    combined = per_class * weight
    total = combined.sum()
    if not 0 < total < inf:
        raise ValueError(f"class_weight times {name} adds up to {total}: change them.")
    return without_vanishing(combined)


def check_targets(y, name="y"):
    """Return y as 1-D class labels, or as a dense 2-D multilabel indicator of 0 and 1.

    Raises
    ------
    ValueError
        If it is neither, or labels are missing.
    """
    y = read_labels(y, name)
    y = y.toarray() if issparse(y) else y
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    if y.ndim == 1:
        check_classification_targets(y)
        return y
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
        If `classes` are no labels, or not one for each column of a multilabel y.
    """
    announced = None if classes is None else read_labels(classes, "classes")
    if announced is not None and (announced.ndim != 1 or len(announced) == 0):
        raise ValueError(
            f"classes of shape {announced.shape} is not accepted: it must be a list or 1-D array "
            "of all labels."
        )
    if y.ndim == 1:
        return LabelEncoding(np.unique(y if announced is None else announced), False)
    n_announced = y.shape[1] if announced is None else len(np.unique(announced))
    if n_announced != y.shape[1]:
        raise ValueError(f"classes has {n_announced} labels, but y has {y.shape[1]} columns.")
    return LabelEncoding(np.arange(y.shape[1]), True)


@np.errstate(all="ignore")
def check_weight(sample_weight, n, name="sample_weight", hint=""):
    """Return the sample weights as float64 of shape (n, 1), or None.

    Parameters
    ----------
    sample_weight : array-like, number or None
        A number is the weight of each row.
    n : int
        Number of rows.
    name : str, default="sample_weight"
        What errors call the weights.
    hint : str, default=""
        A remedy for what is no vector of n numbers.

    Raises
    ------
    ValueError
        If they are not one finite number >= 0 for each of the n rows, or add up to 0 or inf.
    """
    if sample_weight is None:
        return None
    try:
        given = np.asarray(sample_weight)
        is_real, is_masked = given.dtype.kind not in "cmM", np.ma.is_masked(sample_weight)
        weight = given.astype(np.float64) if is_real else None
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is not accepted: {str(error).rstrip('.')}.{hint}") from error
    if is_masked or not is_real:
        what = "masked" if is_masked else given.dtype
        raise ValueError(f"{name} has values that are {what}: it must have numbers.")
    weight = np.full(n, weight) if weight.ndim == 0 else weight
    if weight.shape != (n,):
        raise ValueError(
            f"{name} of shape {weight.shape} is not accepted: it must have one number for each of "
            f"the {n} rows.{hint}"
        )
    check_array(weight, ensure_2d=False, input_name=name)
    if weight.min() < 0:
        raise ValueError(f"{name} holds {weight.min()}: every weight must be >= 0.")
    if not 0 < (total := weight.sum()) < inf:
        problem = "too large: its sum is inf" if total else "all zero: at least one row must count"
        raise ValueError(f"{name} is {problem}.")
    return without_vanishing(weight)[:, None]


def without_vanishing(weight):
    """Return weights, with 0 for those whose ratio to the largest one is beyond float64."""
    return np.where(weight.max() / weight < inf, weight, 0.0)
