"""Training and validation data: rows of X, their targets and their weights."""

from dataclasses import dataclass, field
from math import inf

import numpy as np
from sklearn.utils import check_array

from sknumpynet.data.inputs import describe_inputs
from sknumpynet.data.split import duplicates


@dataclass
class Data:
    """What is learnt from, or validated with.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, n_features), or RowView of one
    y : ndarray of shape (n,) or (n, n_columns)
        As the user gave it.
    encoded : ndarray of shape (n,) or (n, n_outputs)
        y as the loss sees it.
    weight : ndarray of shape (n, 1) or (n, n_outputs), or None
        Weight of each row, or of each of its outputs.
    targets : ClassTargets
        What y is.
    """

    X: object
    y: np.ndarray
    encoded: np.ndarray
    weight: np.ndarray | None
    targets: object
    computed: dict = field(default_factory=dict, init=False, repr=False)

    @property
    def n(self):
        return self.X.shape[0]

    @property
    def nonzero_rows(self):
        """Positions of the rows that have a weight."""
        return np.arange(self.n) if self.weight is None else np.flatnonzero(self.weight.any(axis=1))

    @property
    def strata(self):
        """The class of each row, by which splits are stratified; None if there are none."""
        return self.targets.strata(self.encoded)

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
        X = RowView(self.X, rows)
        return Data(X, self.y[rows], self.encoded[rows], weight, self.targets)


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
