"""Training and prediction on the blocks of Dask arrays and data frames.

Needs ``pip install "sknumpynet[dask]"``. X is never gathered: a block is read where it is, and only
networks travel between the workers. The page Clusters of the documentation says what this costs.
"""

from math import inf
from time import perf_counter

import dask
import numpy as np
from distributed import default_client
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sknumpynet.blocks import (
    averaged,
    blocks_of,
    find_classes,
    map_rows,
    n_rows,
    pass_over,
    sample,
    score_on,
    stacked,
    total,
)
from sknumpynet.classifier import NumpyMLPClassifier
from sknumpynet.defaults import is_auto
from sknumpynet.preprocessing import NumericalEncoder
from sknumpynet.reading import copy_with, encoding_of

MODES = "streaming", "averaging"
# Passes over the blocks that max_iter='auto' means; `effort` multiplies it.
PASSES = 10


class DaskMixin:
    """What the two estimators share: their parameters, their client and `to_local`."""

    @classmethod
    def _get_param_names(cls):
        return sorted({*cls._local._get_param_names(), *cls._own})

    def to_local(self):
        """Return the estimator without Dask, fitted if this one is.

        Returns
        -------
        estimator : NumpyMLPClassifier or NumericalEncoder
            With the same parameters and attributes.
        """
        parameters = self.get_params(deep=False)
        local = self._local(**{k: v for k, v in parameters.items() if k not in self._own})
        vars(local).update({k: v for k, v in vars(self).items() if k not in parameters})
        return local

    def _client(self):
        return default_client() if self.client is None else self.client

    def _map(self, method, X, like):
        check_is_fitted(self)
        return map_rows(self.to_local(), method, X, like)

    def __getstate__(self):
        return {**super().__getstate__(), "client": None}

    def __sklearn_clone__(self):  # a client cannot be copied
        other = super(DaskMixin, copy_with(self, {"client": None})).__sklearn_clone__()
        return other.set_params(client=self.client)


class DaskNumpyMLPClassifier(DaskMixin, NumpyMLPClassifier):
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
        order in each pass if ``shuffle=True``. ``early_stopping`` is not supported, as in
        `partial_fit`.

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

    _local, _own = NumpyMLPClassifier, ("mode", "client")

    def __init__(self, hidden_layer_sizes="auto", *, mode="streaming", client=None, **parameters):
        super().__init__(hidden_layer_sizes, **parameters)
        self.mode, self.client = mode, client

    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Train a network on the blocks of X and y.

        Parameters
        ----------
        X : Dask array or data frame of shape (n_samples, n_features)
            Training data, scaled.
        y : Dask array or series of shape (n_samples,), or array of shape (n_samples, n_labels)
            Labels, in as many blocks as X.
        sample_weight : Dask array or series of shape (n_samples,), default=None
            Weight of each row.
        X_val, y_val, sample_weight_val : Dask collections, default=None
            Validation data: `validation_scores_` has their accuracy after each pass.

        Returns
        -------
        self : DaskNumpyMLPClassifier
            The fitted estimator.

        Raises
        ------
        TypeError
            If X is not a Dask collection.
        ValueError
            If the blocks do not have the same numbers of rows, or as in `partial_fit`.
        """
        called = perf_counter()
        self._parameters()
        if self.mode not in MODES:
            raise ValueError(f"mode={self.mode!r} is not accepted: it must be one of {MODES}.")
        client, rng = self._client(), check_random_state(self.random_state)
        blocks = blocks_of(client, X=X, y=y, sample_weight=sample_weight)
        given = {"X_val": X_val, "y_val": y_val, "sample_weight_val": sample_weight_val}
        is_given = any(part is not None for part in given.values())
        validation = blocks_of(client, **given) if is_given else []
        start = self.to_local() if self.warm_start else clone(self.to_local())
        if start.random_state is None:
            start.set_params(random_state=rng.randint(2**31))  # one initial network for all workers
        classes = find_classes(client, [y for _, y, _ in blocks])
        n_groups = min(len(client.nthreads()), len(blocks)) if self.mode == "averaging" else 1
        groups = np.array_split(np.arange(len(blocks)), n_groups)
        models, scores = [start] * n_groups, []
        passes = max(1, round(PASSES * self.effort)) if is_auto(self.max_iter) else self.max_iter
        for _ in range(passes):
            orders = [rng.permutation(group) if self.shuffle else group for group in groups]
            futures = [
                pass_over(client, model, [blocks[k] for k in order], classes)
                for model, order in zip(models, orders, strict=True)
            ]
            models = averaged(models, client.gather(futures))
            scores += [score_on(client, models[0], validation)] if validation else []
            if perf_counter() - called > (self.max_time or inf):
                break
        self.__dict__ = vars(self) | total(start, models) | {"validation_scores_": scores or None}
        return self

    def predict(self, X):
        """Return the most probable class of each row, lazily for a Dask collection.

        Parameters
        ----------
        X : Dask array or data frame, or array, of shape (n_samples, n_features)
            Scaled as in training.

        Returns
        -------
        y : Dask array, or ndarray if X is no Dask collection
            As of `NumpyMLPClassifier.predict`.
        """
        like = (
            np.empty((0, self.n_outputs_), int)
            if encoding_of(self).multilabel
            else self.classes_[:0]
        )
        return self._map("predict", X, like)

    def predict_proba(self, X):
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
        return self._map("predict_proba", X, np.empty((0, len(self.classes_))))

    def score(self, X, y, sample_weight=None):
        """Return the accuracy.

        Parameters
        ----------
        X : Dask array or data frame, or array, of shape (n_samples, n_features)
            Scaled as in training.
        y : Dask array or series, or array, of shape (n_samples,) or (n_samples, n_labels)
            The right labels, in the blocks of X.
        sample_weight : Dask array or series, or array, of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        score : float
            The fraction of rows, by weight, whose labels are all right.
        """
        if not dask.is_dask_collection(X):
            return self.to_local().score(X, y, sample_weight)
        client = self._client()
        blocks = blocks_of(client, X=X, y=y, sample_weight=sample_weight)
        return score_on(client, self.to_local(), blocks)


class DaskNumericalEncoder(DaskMixin, NumericalEncoder):
    """`NumericalEncoder` for Dask arrays and data frames.

    Parameters
    ----------
    n_bins : int or 'auto', default='auto'
        As of `NumericalEncoder`.
    n_rows : int, default=100000
        `fit` gathers about so many rows, chosen at random from all blocks, and fits to them.
    client : distributed.Client or None, default=None
        None is the current client. It is not pickled.

    Attributes
    ----------
    all
        As those of `NumericalEncoder`.
    """

    _local, _own = NumericalEncoder, ("n_rows", "client")

    def __init__(self, n_bins="auto", *, n_rows=100_000, client=None):
        super().__init__(n_bins)
        self.n_rows, self.client = n_rows, client

    def fit(self, X, y=None):
        """Find the scales and encodings of a sample of the rows.

        Parameters
        ----------
        X : Dask array or data frame of shape (n_samples, n_features)
            Missing values and infinities are allowed.
        y : Dask array or series of shape (n_samples,), default=None
            Labels, which decide whether 'auto' encodes at all.

        Returns
        -------
        self : DaskNumericalEncoder
            The fitted encoder.
        """
        client = self._client()
        blocks = blocks_of(client, optional=["y"], X=X, y=y)
        n = sum(client.gather([client.submit(n_rows, X) for X, _ in blocks]))
        fraction = min(1.0, self.n_rows / n)
        drawn = [client.submit(sample, *b, fraction, k) for k, b in enumerate(blocks)]
        X, y = (stacked(parts) for parts in zip(*client.gather(drawn), strict=True))
        local = clone(self.to_local()).fit(X, y)
        self.__dict__ = vars(self) | vars(local)
        return self

    def transform(self, X):
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
        n_columns = len(self.get_feature_names_out())
        return self._map("transform", X, np.empty((0, n_columns), np.float32))
