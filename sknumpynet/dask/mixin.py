"""What the estimators for Dask share."""

from typing import Any

from distributed import default_client
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sknumpynet.dask.blocks import map_rows
from sknumpynet.data.read import copy_with


class DaskMixin:
    """What networks and encoder share: their parameters, their client and `to_local`."""

    @classmethod
    def _get_param_names(cls):
        return sorted({*cls._local._get_param_names(), *cls._own})

    def to_local(self) -> Any:
        """Return the estimator without Dask, fitted if this one is.

        Returns
        -------
        estimator : NumpyMLPClassifier, NumpyMLPRegressor or NumericalEncoder
            With the same parameters and attributes.
        """
        parameters = self.get_params(deep=False)
        local = self._local(**{k: v for k, v in parameters.items() if k not in self._own})
        vars(local).update({k: v for k, v in vars(self).items() if k not in parameters})
        return local

    def _client(self):
        return default_client() if self.client is None else self.client

    def _map(self, method, X):
        check_is_fitted(self)
        return map_rows(self.to_local(), method, X)

    def __getstate__(self):
        return {**super().__getstate__(), "client": None}

    def __sklearn_clone__(self):
        without_client = copy_with(self, {"client": None})  # a client cannot be copied
        return BaseEstimator.__sklearn_clone__(without_client).set_params(client=self.client)
