"""Minibatches: rows of X, whatever its kind, as a float array in a buffer that is reused.

X may be a dense array of any dtype and memory order, a memory map, or CSR; it is never copied
whole nor written to. A minibatch is the tuple (X, y, weight, mass, keys): ``weight`` is None or the
batch's weights, (n, 1) or one for each output, and ``mass`` is the number of rows times the mean
weight of the whole training set. Dividing by that, and not by the sum of the batch's own weights,
keeps a heavy batch heavy: the steps then follow an unbiased estimate of the gradient of the
weighted mean loss. For equal weights, and for a batch of all rows, the two are the same number.
``keys`` is None or what tells the rows apart, see `sknumpynet.hashing`.
"""

import numpy as np
from scipy.sparse import issparse

from sknumpynet.aligned import aligned_empty


class Minibatches:
    """The training set, cut anew for each pass.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n, n_features)
    y : ndarray of shape (n,) or (n, n_outputs)
    weight : ndarray of shape (n, 1) or (n, n_outputs), or None
    batch_size : int
        Rows of a minibatch; the last one of a pass has what is left.
    dtype : dtype
        Of the float arrays handed out.
    rows : ndarray of int, default=None
        The rows to train on; None is all of them.
    keys : ndarray of uint64 of shape (n,), default=None

    Attributes
    ----------
    n : int
        Rows of a pass.
    mass : float
        Their masses together: the sum of their weights.
    """

    def __init__(self, X, y, weight, batch_size, dtype, rows=None, keys=None):
        self.X, self.y, self.keys, self.batch_size = X, y, keys, batch_size
        self.dtype = np.dtype(dtype)
        self.rows = rows
        self.n = X.shape[0] if rows is None else len(rows)
        self.weight, self.mean_weight = weight, 1.0
        if weight is not None:
            self.weight = weight.astype(dtype)
            self.mean_weight = float((weight if rows is None else weight[rows]).mean())
        self.mass = self.n * self.mean_weight
        if not issparse(X):
            shape = batch_size, X.shape[1]
            self.raw = aligned_empty(shape, X.dtype)
            self.buffer = self.raw if X.dtype == self.dtype else aligned_empty(shape, dtype)

    def one_pass(self, rng=None):
        """Yield the minibatches of one pass, shuffled by the RandomState `rng` unless it is None.

        A batch whose weights are all zero teaches nothing and is left out. Where one batch has all
        rows, their order means nothing, and they are not shuffled.
        """
        order = self.rows
        if rng is not None and self.batch_size < self.n:
            order = rng.permutation(self.n if order is None else order)
        for start in range(0, self.n, self.batch_size):
            stop = min(start + self.batch_size, self.n)
            rows = slice(start, stop) if order is None else order[start:stop]
            weight = None if self.weight is None else self.weight[rows]
            keys = None if self.keys is None else self.keys[rows]
            mass = (stop - start) * self.mean_weight
            if weight is None or weight.any():
                yield self.gather(rows), self.y[rows], weight, mass, keys

    def gather(self, rows):
        """Return X[rows] in the training dtype; the next call may overwrite a dense answer."""
        X = self.X
        if issparse(X):
            return X[rows].astype(self.dtype, copy=False)
        if isinstance(rows, slice):
            batch = X[rows]
            if batch.dtype == self.dtype:
                return batch
        elif X.flags.c_contiguous:
            # mode="clip" writes straight into `out`. Not for other memory orders: take copies such
            # an array whole.
            batch = X.take(rows, axis=0, out=self.raw[: len(rows)], mode="clip")
            if self.raw is self.buffer:
                return batch
        else:
            batch = X[rows]
        out = self.buffer[: len(batch)]
        np.copyto(out, batch, casting="unsafe")
        return out
