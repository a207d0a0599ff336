"""Minibatches: rows of X of any kind, as a float array in a reused buffer.

X may be a dense array of any dtype and memory order, a memory map, or CSR. It is never copied as a
whole and never written to. The weights are scaled to a mean of 1 over the training rows. A
minibatch's loss is its weighted sum divided by its number of rows, not by its own sum of weights:
a heavy batch then counts as heavy, and the steps follow an unbiased estimate of the gradient of the
weighted mean loss. For equal weights, and for a batch of all rows, the two are the same number.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike
from scipy.sparse import issparse

from sknumpynet.core.arrays import aligned_empty
from sknumpynet.core.types import Integers, Table

# The smallest positive float64.
TINY = 5e-324


class Minibatch(NamedTuple):
    """Some rows of the training set.

    ``X`` is (n, n_features), dense or CSR; ``y`` is (n,) or (n, n_outputs); ``weight`` is None,
    (n, 1) or (n, n_outputs).
    """

    X: Table
    y: np.ndarray
    weight: np.ndarray | None = None


class Minibatches:
    """The training set, cut into minibatches anew for each epoch.

    Parameters
    ----------
    data : object with attributes X, encoded and weight
        ``X`` is an ndarray or a CSR matrix of shape (n, n_features), ``encoded`` the targets of
        shape (n,) or (n, n_outputs), ``weight`` None or of shape (n, 1) or (n, n_outputs).
    batch_size : int
        Rows of a minibatch; the last one of an epoch has the rest.
    dtype : dtype
        Dtype of the float arrays.
    rows : ndarray of int, default=None
        The rows to train on; None is all of them.

    Attributes
    ----------
    n : int
        Rows of an epoch.
    mean_weight : float
        Mean of the weights before they were scaled to a mean of 1.
    """

    def __init__(
        self, data: Any, batch_size: int, dtype: DTypeLike, rows: Integers | None = None
    ) -> None:
        self.X, self.y, self.rows = data.X, data.encoded, rows
        self.dtype = np.dtype(dtype)
        self.n = self.X.shape[0] if rows is None else len(rows)
        self.batch_size = min(batch_size, self.n)
        self.weight, self.mean_weight = None, 1.0
        if data.weight is not None:
            of_rows = data.weight if rows is None else data.weight[rows]
            largest = float(of_rows.max())  # the sum of huge weights would overflow
            mean = float((of_rows / largest).mean())
            with np.errstate(all="ignore"):  # rows that are not trained on may become infinite
                self.weight = (data.weight / largest / mean).astype(self.dtype)
            self.mean_weight = max(largest * mean, TINY)
        if not issparse(self.X):
            shape = self.batch_size, self.X.shape[1]
            self.raw = aligned_empty(shape, self.X.dtype)
            self.buffer = (
                self.raw if self.X.dtype == self.dtype else aligned_empty(shape, self.dtype)
            )

    def epoch(self, order: Integers | None = None) -> Iterator[Minibatch]:
        """Yield the minibatches of one epoch; batches whose weights are all zero are skipped.

        Parameters
        ----------
        order : ndarray of int of shape (n,) or None
            Positions among the rows that are trained on, in the order in which they are taken.
        """
        if order is None:
            order = self.rows
        elif self.rows is not None:
            order = self.rows[order]
        for start in range(0, self.n, self.batch_size):
            stop = min(start + self.batch_size, self.n)
            rows = slice(start, stop) if order is None else order[start:stop]
            weight = None if self.weight is None else self.weight[rows]
            if weight is None or weight.any():
                yield Minibatch(self.gather(rows), self.y[rows], weight)

    def gather(self, rows: Integers | slice) -> Table:
        """Return X[rows] in the training dtype; the next call may overwrite a dense result."""
        X = self.X
        if issparse(X):
            return X[rows].astype(self.dtype, copy=False)
        if isinstance(rows, slice):
            batch = X[rows]
            if batch.dtype == self.dtype:
                return batch
        elif X.flags.c_contiguous and X.flags.aligned:
            # mode="clip" writes straight into `out`. For other memory orders, and for unaligned
            # arrays such as another process may have sent, np.take would first copy X as a whole.
            batch = X.take(rows, axis=0, out=self.raw[: len(rows)], mode="clip")
            if self.raw is self.buffer:
                return batch
        else:
            batch = X[rows]
        out = self.buffer[: len(batch)]
        np.copyto(out, batch, casting="unsafe")
        return out
