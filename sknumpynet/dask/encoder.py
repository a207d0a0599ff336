"""`NumericalEncoder` for the blocks of Dask collections, and what all encoders share."""

from typing import Any, Self

import numpy as np
from sklearn.base import clone

from sknumpynet.core.types import Auto, Table
from sknumpynet.dask.blocks import all_blocks_of, draw, stacked, take
from sknumpynet.dask.mixin import DaskMixin
from sknumpynet.preprocessing import NumericalEncoder
from sknumpynet.settings.parameters import check_value, number


class DaskEncoderMixin(DaskMixin):
    """Fits an encoder to a sample of the rows, and encodes blocks."""

    _own = "n_rows", "client"

    @property
    def set_output(self):
        """The result of Dask data is a Dask array; a Pipeline asks for this by ``hasattr``."""
        raise AttributeError(
            f"{type(self).__name__} does not support set_output: its result is a Dask array. Name "
            "its columns by get_feature_names_out(), for instance in dask.dataframe.from_dask_array"
            "(result, columns=names)."
        )

    def fit(self, X: Table, y: Any = None) -> Self:
        """Fit to a sample of the rows.

        Parameters
        ----------
        X : Dask array or data frame of shape (n_samples, n_features)
            Values may be missing.
        y : Dask array or series of shape (n_samples,), default=None
            Labels or numbers.

        Returns
        -------
        self : DaskNumericalEncoder or DaskTabularEncoder
            The fitted encoder.
        """
        X, y, _ = self._sample(X, y)
        self._keep(clone(self.to_local()).fit(X, y))
        return self

    def _sample(self, X, y):
        """Return some rows of X and y in memory, and the block that each is from."""
        check_value("n_rows", self.n_rows, number(1))
        client = self._client()
        blocks, counts = all_blocks_of(client, optional=["y"], X=X, y=y)
        rows = draw(counts, int(min(self.n_rows, sum(counts))))
        drawn = [client.submit(take, r, *b) for r, b in zip(rows, blocks, strict=True) if len(r)]
        X, y = (stacked(parts) for parts in zip(*client.gather(drawn), strict=True))
        return X, y, np.repeat(np.arange(len(rows)), list(map(len, rows)))

    def _keep(self, local):
        """Take over what a local encoder has found."""
        updated = vars(self) | vars(local)
        if "feature_names_in_" not in vars(local):
            updated.pop("feature_names_in_", None)
        self._replace_state(updated)

    def transform(self, X: Table) -> Any:
        """Return the encoded features, lazily for a Dask collection.

        Parameters
        ----------
        X : Dask array or data frame, or array, of shape (n_samples, n_features)
            With the features that `fit` has seen.

        Returns
        -------
        X : Dask array of float32, or ndarray if X is no Dask collection
            As of the local encoder.
        """
        return self._map("transform", X)


class DaskNumericalEncoder(DaskEncoderMixin, NumericalEncoder, auto_wrap_output_keys=None):
    """`NumericalEncoder` for Dask arrays and data frames.

    Parameters
    ----------
    n_bins : int or 'auto', default='auto'
        As of `NumericalEncoder`.
    n_rows : int, default=100000
        `fit` gathers this many rows, chosen at random from all blocks, and fits to them; np.inf
        means all.
    client : distributed.Client or None, default=None
        None is the current client. It is not pickled.

    Attributes
    ----------
    all
        As those of `NumericalEncoder`.
    """

    __module__ = "sknumpynet.dask"  # saved encoders name it

    _local = NumericalEncoder

    def __init__(
        self, n_bins: int | Auto = "auto", *, n_rows: float = 100_000, client: Any = None
    ) -> None:
        super().__init__(n_bins)
        self.n_rows, self.client = n_rows, client
