"""`NumericalEncoder` for the blocks of Dask collections."""

from typing import Any, Self

from sklearn.base import clone

from sknumpynet.core.types import Auto, Table
from sknumpynet.dask.blocks import blocks_of, draw, stacked, take
from sknumpynet.dask.mixin import DaskMixin
from sknumpynet.preprocessing import NumericalEncoder
from sknumpynet.settings.parameters import check_value, number


class DaskNumericalEncoder(DaskMixin, NumericalEncoder, auto_wrap_output_keys=None):
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

    _local, _own = NumericalEncoder, ("n_rows", "client")

    def __init__(
        self, n_bins: int | Auto = "auto", *, n_rows: float = 100_000, client: Any = None
    ) -> None:
        super().__init__(n_bins)
        self.n_rows, self.client = n_rows, client

    @property
    def set_output(self):
        """The result of Dask data is a Dask array; a Pipeline asks for this by ``hasattr``."""
        raise AttributeError(
            "DaskNumericalEncoder does not support set_output: its result is a Dask array. Name "
            "its columns by get_feature_names_out(), for instance in dask.dataframe.from_dask_array"
            "(result, columns=names)."
        )

    def fit(self, X: Table, y: Any = None) -> Self:
        """Find the scales and encodings of a sample of the rows.

        Parameters
        ----------
        X : Dask array or data frame of shape (n_samples, n_features)
            Missing values and infinities are allowed.
        y : Dask array or series of shape (n_samples,), default=None
            Labels or numbers, which decide whether 'auto' encodes at all.

        Returns
        -------
        self : DaskNumericalEncoder
            The fitted encoder.
        """
        check_value("n_rows", self.n_rows, number(1))
        client = self._client()
        blocks, counts = blocks_of(client, optional=["y"], X=X, y=y)
        rows = draw(counts, int(min(self.n_rows, sum(counts))))
        drawn = [client.submit(take, r, *b) for r, b in zip(rows, blocks, strict=True) if len(r)]
        X, y = (stacked(parts) for parts in zip(*client.gather(drawn), strict=True))
        local = clone(self.to_local()).fit(X, y)
        updated = vars(self) | vars(local)
        if "feature_names_in_" not in vars(local):
            updated.pop("feature_names_in_", None)
        self._replace_state(updated)
        return self

    def transform(self, X: Table) -> Any:
        """Return the encoded features, lazily for a Dask collection.

        Parameters
        ----------
        X : Dask array or data frame, or array, of shape (n_samples, n_features)
            With the features that `fit` has seen.

        Returns
        -------
        X : Dask array of float32, or ndarray if X is no Dask collection
            As of `NumericalEncoder.transform`.
        """
        return self._map("transform", X)
