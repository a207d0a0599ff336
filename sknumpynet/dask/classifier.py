"""`NumpyMLPClassifier` for the blocks of Dask collections."""

from collections.abc import Sequence
from typing import Any, Literal

from sknumpynet.classifier import NumpyMLPClassifier
from sknumpynet.core.types import Auto, Table
from sknumpynet.dask.network import DaskNetworkMixin
from sknumpynet.dask.passes import accuracy, count_right


class DaskNumpyMLPClassifier(DaskNetworkMixin, NumpyMLPClassifier):
    """`NumpyMLPClassifier` for Dask arrays and data frames.

    `fit` trains block by block on the workers of a cluster, with the settings of `partial_fit`.
    During `fit` the cluster keeps the blocks in memory, or on disk if memory is scarce.

    Parameters
    ----------
    hidden_layer_sizes : int, sequence of int or 'auto', default='auto'
        Units of each hidden layer.
    mode : {'streaming', 'averaging'}, default='streaming'
        'streaming': one network travels from block to block. The result is that of `partial_fit` on
        one block after the other, on any number of workers.
        'averaging': in each pass every worker trains a network of its own on its part of the
        blocks, and the parameters are then averaged by the number of rows [1]_. That is another
        algorithm: it uses all workers at the same time, and the result depends on their number.
    client : distributed.Client or None, default=None
        None is the current client. It is not pickled.
    **parameters
        Those of `NumpyMLPClassifier`. ``max_iter`` is the number of passes over the blocks; 'auto'
        is 10 times ``effort``. ``max_time`` is checked after each pass. Blocks are visited in a new
        order in each pass if ``shuffle=True``. ``early_stopping``, ``solver='lbfgs'`` and callbacks
        are not supported.

    Attributes
    ----------
    validation_scores_ : list of float or None
        Accuracy on the validation blocks after each pass.
    all others
        As those of `NumpyMLPClassifier` after `partial_fit`.

    References
    ----------
    .. [1] McMahan et al., "Communication-Efficient Learning of Deep Networks from Decentralized
       Data", AISTATS 2017.

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from sklearn.datasets import load_digits
    >>> from sknumpynet.dask import DaskNumpyMLPClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> with Client(n_workers=2, threads_per_worker=1, dashboard_address=":0") as client:
    ...     model = DaskNumpyMLPClassifier(random_state=0, client=client)
    ...     model = model.fit(da.from_array(X / 16, (300, 64)), da.from_array(y, 300))
    >>> bool(model.to_local().score(X / 16, y) > 0.97)
    True
    """

    __module__ = "sknumpynet.dask"  # saved models name it

    _local = NumpyMLPClassifier
    _tally, _score_of = staticmethod(count_right), staticmethod(accuracy)

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] | Auto = "auto",
        *,
        mode: Literal["streaming", "averaging"] = "streaming",
        client: Any = None,
        **parameters: Any,
    ) -> None:
        super().__init__(hidden_layer_sizes, **parameters)
        self.mode, self.client = mode, client

    def predict_proba(self, X: Table) -> Any:
        """Return the probability of each class, lazily for a Dask collection.

        Parameters
        ----------
        X : Dask array or data frame, or array, of shape (n_samples, n_features)
            Scaled as in training.

        Returns
        -------
        proba : Dask array, or ndarray if X is no Dask collection
            As of `NumpyMLPClassifier.predict_proba`.
        """
        return self._map("predict_proba", X)

    def predict_log_proba(self, X: Table) -> Any:
        """Return the logarithm of each probability, lazily for a Dask collection.

        Parameters
        ----------
        X : Dask array or data frame, or array, of shape (n_samples, n_features)
            Scaled as in training.

        Returns
        -------
        log_proba : Dask array, or ndarray if X is no Dask collection
            As of `NumpyMLPClassifier.predict_log_proba`.
        """
        return self._map("predict_log_proba", X)

    def decision_function(self, X: Table) -> Any:
        """Return the logits, lazily for a Dask collection.

        Parameters
        ----------
        X : Dask array or data frame, or array, of shape (n_samples, n_features)
            Scaled as in training.

        Returns
        -------
        logits : Dask array, or ndarray if X is no Dask collection
            As of `NumpyMLPClassifier.decision_function`.
        """
        return self._map("decision_function", X)
