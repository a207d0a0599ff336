"""`NumpyMLPRegressor` for the blocks of Dask collections."""

from typing import Any, Literal

from sknumpynet.dask.network import DaskNetworkMixin
from sknumpynet.dask.passes import r_squared, residuals
from sknumpynet.data.numbers import levels_of
from sknumpynet.regressor import NumpyMLPRegressor


class DaskNumpyMLPRegressor(DaskNetworkMixin, NumpyMLPRegressor):
    """`NumpyMLPRegressor` for Dask arrays and data frames.

    `fit` trains block by block on the workers of a cluster, with the settings of `partial_fit`.
    `target_center_` and `target_scale_` are those of all rows; medians are averaged over blocks.

    Parameters
    ----------
    loss : {'squared_error', 'absolute_error', 'huber', 'quantile', 'poisson'}, \
            default='squared_error'
        What is minimised; see `NumpyMLPRegressor`.
    mode : {'streaming', 'averaging'}, default='streaming'
        As of `DaskNumpyMLPClassifier`.
    client : distributed.Client or None, default=None
        None is the current client. It is not pickled.
    **parameters
        Those of `NumpyMLPRegressor`, with the exceptions of `DaskNumpyMLPClassifier`.

    Attributes
    ----------
    validation_scores_ : list of float or None
        Coefficient of determination on the validation blocks after each pass.
    all others
        As those of `NumpyMLPRegressor` after `partial_fit`.

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from sklearn.datasets import make_friedman1
    >>> from sknumpynet.dask import DaskNumpyMLPRegressor
    >>> X, y = make_friedman1(2000, random_state=0)
    >>> with Client(n_workers=2, threads_per_worker=1, dashboard_address=":0") as client:
    ...     model = DaskNumpyMLPRegressor(random_state=0, client=client)
    ...     model = model.fit(da.from_array(X, (500, 10)), da.from_array(y, 500))
    >>> bool(model.to_local().score(X, y) > 0.9)
    True
    """

    __module__ = "sknumpynet.dask"  # saved models name it

    _local = NumpyMLPRegressor
    _tally, _score_of = staticmethod(residuals), staticmethod(r_squared)

    def __init__(
        self,
        loss: Literal[
            "squared_error", "absolute_error", "huber", "quantile", "poisson"
        ] = "squared_error",
        *,
        mode: Literal["streaming", "averaging"] = "streaming",
        client: Any = None,
        **parameters: Any,
    ) -> None:
        super().__init__(loss, **parameters)
        self.mode, self.client = mode, client

    def _check_score(self, targets):
        levels = levels_of(targets.options).tolist()
        if len(levels) > 1:
            raise ValueError(
                f"The score of several quantiles, {levels}, is not computed from blocks. Call "
                "to_local().score with a sample of the rows in memory."
            )
