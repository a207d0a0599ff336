"""`TabularEncoder` for the blocks of Dask collections."""

from typing import Any, Literal

import dask
import dask.array as da
import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from sknumpynet.core.types import Auto, Table
from sknumpynet.dask.blocks import call, check_collection, in_rows
from sknumpynet.dask.encoder import DaskEncoderMixin
from sknumpynet.data.read import copy_with
from sknumpynet.preprocessing import TabularEncoder
from sknumpynet.preprocessing.averages import N_FOLDS


class DaskTabularEncoder(DaskEncoderMixin, TabularEncoder, auto_wrap_output_keys=None):
    """`TabularEncoder` for Dask data frames and arrays.

    Levels that are not in the sample of `fit` are unknown ones. In `fit_transform` the averages of
    a block are learnt from the other blocks.

    Parameters
    ----------
    categorical_features : 'from_dtype', array-like of {bool, int, str} or None, \
default='from_dtype'
        As of `TabularEncoder`.
    n_bins : int or 'auto', default='auto'
        As of `TabularEncoder`.
    n_rows : int, default=100000
        `fit` gathers this many rows, chosen at random from all blocks, and fits to them; np.inf
        means all.
    client : distributed.Client or None, default=None
        None is the current client. It is not pickled.

    Attributes
    ----------
    all
        As those of `TabularEncoder`.
    """

    __module__ = "sknumpynet.dask"  # saved encoders name it

    _local = TabularEncoder

    def __init__(
        self,
        categorical_features: ArrayLike | Literal["from_dtype"] | None = "from_dtype",
        n_bins: int | Auto = "auto",
        *,
        n_rows: float = 100_000,
        client: Any = None,
    ) -> None:
        super().__init__(categorical_features, n_bins)
        self.n_rows, self.client = n_rows, client

    def fit_transform(self, X: Table, y: Any = None) -> Any:
        """Fit, and return the encoded table, for which averages of `y` come from other blocks.

        Parameters
        ----------
        X : Dask array or data frame of shape (n_samples, n_features)
            Values may be missing.
        y : Dask array or series of shape (n_samples,), default=None
            Labels or numbers.

        Returns
        -------
        X : Dask array of float32
            Not computed yet.
        """
        some_X, some_y, block = self._sample(X, y)
        local, n_folds = clone(self.to_local()), min(N_FOLDS, len(np.unique(block)))
        if n_folds == 1:
            raise ValueError(
                "X has rows in a single block, and fit_transform needs several: the averages of y "
                "of one block are learnt from the others. Repartition X and y, or use "
                "TabularEncoder."
            )
        *_, of_folds = local._fit(some_X, some_y, None, fold=block % n_folds)
        self._keep(local)
        return encode_blocks([without_fold(local, of_folds, k) for k in range(n_folds)], X)

    def transform(self, X: Table) -> Any:
        """Return the encoded table, lazily for a Dask collection.

        Parameters
        ----------
        X : Dask data frame or array, or table, of shape (n_samples, n_features)
            With the columns that `fit` has seen.

        Returns
        -------
        X : Dask array of float32, or ndarray if X is no Dask collection
            As of `TabularEncoder.transform`.
        """
        check_is_fitted(self)
        local = self.to_local()
        return encode_blocks([local], X) if dask.is_dask_collection(X) else local.transform(X)


def without_fold(encoder, of_folds, k):
    """Return an encoder for the rows of a fold, which knows nothing of their y."""
    tables = zip(encoder.tables_, of_folds, strict=True)
    tables = [table if of_fold is None else of_fold[k] for table, of_fold in tables]
    return copy_with(encoder, {"tables_": tables})


def encode_blocks(encoders, X):
    """Return a Dask array of the blocks of X, each encoded by the next of some encoders."""
    check_collection("X", X)
    n_columns = len(encoders[0].get_feature_names_out())
    encoders, X = [dask.delayed(encoder) for encoder in encoders], in_rows(X)
    parts = np.ravel(X.to_delayed()).tolist()
    counts = X.chunks[0] if isinstance(X, da.Array) else [np.nan] * len(parts)
    empty = np.empty((0, n_columns), np.float32)
    encoded = [
        dask.delayed(call)(part, "transform", encoders[k % len(encoders)], empty)
        for k, part in enumerate(parts)
    ]
    arrays = [
        da.from_delayed(block, (n, n_columns), np.float32)
        for block, n in zip(encoded, counts, strict=True)
    ]
    return da.concatenate(arrays)
