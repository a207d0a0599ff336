"""Training and prediction on the blocks of Dask arrays and data frames.

Needs ``pip install "sknumpynet[dask]"``. X is never gathered: a block is read where it is, and only
networks travel between the workers. The page Clusters of the documentation says what this costs.
"""

from collections.abc import Sequence
from math import inf
from typing import Any, Literal, Self

import dask
import numpy as np
from distributed import default_client
from sklearn.base import BaseEstimator, clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sknumpynet.classifier import NumpyMLPClassifier
from sknumpynet.core import clock
from sknumpynet.core.types import Auto, Table
from sknumpynet.dask.blocks import (
    blocks_of,
    check_validation,
    draw,
    map_rows,
    read_blocks,
    stacked,
    take,
    with_weight,
)
from sknumpynet.dask.passes import score_on, total, train_pass
from sknumpynet.data.classes import ClassTargets
from sknumpynet.data.read import copy_with, read_validation_data
from sknumpynet.estimator import check_architecture
from sknumpynet.fit.run import random_stream
from sknumpynet.preprocessing import NumericalEncoder
from sknumpynet.settings.parameters import LARGEST_INT, check_value, number
from sknumpynet.settings.presets import is_auto

MODES = "streaming", "averaging"
# Passes over the blocks that max_iter='auto' means; `effort` multiplies it.
PASSES = 10


class DaskMixin:
    """What the two estimators share: their parameters, their client and `to_local`."""

    @classmethod
    def _get_param_names(cls):
        return sorted({*cls._local._get_param_names(), *cls._own})

    def to_local(self) -> Any:
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

    def _map(self, method, X):
        check_is_fitted(self)
        return map_rows(self.to_local(), method, X)

    def __getstate__(self):
        return {**super().__getstate__(), "client": None}

    def __sklearn_clone__(self):
        without_client = copy_with(self, {"client": None})  # a client cannot be copied
        return BaseEstimator.__sklearn_clone__(without_client).set_params(client=self.client)


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

    _local, _own = NumpyMLPClassifier, ("mode", "client")

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

    @property
    def set_callbacks(self):
        """Callbacks are not supported; meta-estimators ask for them by ``hasattr``."""
        raise AttributeError(
            "DaskNumpyMLPClassifier does not support callbacks such as Checkpoint. fit keeps the "
            "network of each pass if it is interrupted. To save each pass, call fit with "
            "max_iter=1 and warm_start=True."
        )

    def fit(
        self,
        X: Table,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train a network on the blocks of X and y.

        If it is interrupted or fails, the estimator has the network of the last complete pass.

        Parameters
        ----------
        X : Dask array or data frame of shape (n_samples, n_features)
            Training data, scaled.
        y : Dask array, series or data frame of shape (n_samples,) or (n_samples, n_labels)
            Labels, in the blocks of X.
        sample_weight : Dask array or series of shape (n_samples,), default=None
            Weight of each row, relative to the others of its block.
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
        called = clock.now()
        self._parameters()
        client, rng = self._client(), random_stream(self, None)
        blocks, _ = blocks_of(client, X=X, y=y, sample_weight=sample_weight)
        task, targets = read_blocks(client, blocks)
        validation = self._validation(client, task, targets, X_val, y_val, sample_weight_val)
        start = self._start(rng, targets)
        blocks = with_weight(client, blocks)
        n_groups = min(len(client.nthreads()), len(blocks)) if self.mode == "averaging" else 1
        groups = np.array_split(np.arange(len(blocks)), n_groups)
        models, scores = [start] * n_groups, []
        passes = PASSES * self.effort if is_auto(self.max_iter) else self.max_iter
        for _ in range(round(max(1, min(passes, LARGEST_INT)))):
            orders = [rng.permutation(group) if self.shuffle else group for group in groups]
            parts = [[blocks[k] for k in order] for order in orders]
            models = train_pass(client, models, parts, targets.classes)
            scores = [*scores, score_on(client, models[0], validation)] if validation else []
            attributes = total(start, models) | {"validation_scores_": scores or None}
            self._commit(attributes, {"random_state": rng.get_state(legacy=False)}, is_new=True)
            if clock.now() - called > (self.max_time or inf):
                break
        return self

    @available_if(lambda self: self.solver != "lbfgs")
    def partial_fit(self, X, y, sample_weight=None, *, classes=None):
        """Train for one epoch on X and y in memory, as `NumpyMLPClassifier.partial_fit` does.

        Parameters
        ----------
        X : {array-like, CSR or CSC} of shape (n_samples, n_features)
            A part of the data; no Dask collection.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Its labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.
        classes : array-like of shape (n_classes,), default=None
            All classes that will ever occur; needed in the first call only.

        Returns
        -------
        self : DaskNumpyMLPClassifier
            The fitted estimator.

        Raises
        ------
        TypeError
            If X is a Dask collection.
        """
        if dask.is_dask_collection(X):
            raise TypeError(
                f"A Dask {type(X).__name__} is not accepted as X of partial_fit. For one more pass "
                "over its blocks call fit, with max_iter=1 and warm_start=True."
            )
        return super().partial_fit(X, y, sample_weight, classes=classes)

    def predict(self, X: Table) -> Any:
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
        return self._map("predict", X)

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

    def score(self, X: Table, y: Any, sample_weight: Any = None) -> float:
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
        check_is_fitted(self)
        if not dask.is_dask_collection(X):
            return self.to_local().score(X, y, sample_weight)
        client = self._client()
        blocks, _ = blocks_of(client, X=X, y=y, sample_weight=sample_weight)
        return score_on(client, self.to_local(), with_weight(client, blocks))

    def _parameters(self):
        if self.mode not in MODES:
            raise ValueError(f"mode={self.mode!r} is not accepted: it must be one of {MODES}.")
        if self.solver == "lbfgs":
            raise ValueError(
                "solver='lbfgs' is not accepted: it needs all rows at once, and "
                "DaskNumpyMLPClassifier trains block by block. Use 'adam' or 'sgd'."
            )
        if self.early_stopping:
            raise ValueError(
                "early_stopping=True is not accepted: DaskNumpyMLPClassifier trains block by block "
                "as partial_fit does. Set early_stopping=False and pass X_val and y_val to see "
                "validation_scores_."
            )
        return super()._parameters()

    def _start(self, rng, targets):
        """Return the local estimator from which all workers start."""
        start = clone(self.to_local())
        if self.warm_start and self.__sklearn_is_fitted__():
            classes = targets.classes
            y = np.empty((0, len(classes))) if targets.multilabel else classes
            ClassTargets.of_fitted(vars(self)).check_continues(y, None, complete=True)
            check_architecture(self.get_params(deep=False), self.settings_)
            fitted = {k: v for k, v in vars(self).items() if k.endswith("_") or k == "_resume"}
            return copy_with(start, fitted)
        if start.random_state is None:
            start.random_state = rng.randint(2**31)  # one initial network for all workers
        return start

    def _validation(self, client, task, targets, X_val, y_val, sample_weight_val):
        """Return the blocks of the validation data, checked."""
        if X_val is None or y_val is None:  # raises an error, unless there is no validation data
            read_validation_data(self, X_val, y_val, sample_weight_val, task, targets)
            return []
        if self.scoring != "accuracy":
            raise ValueError(
                f"scoring={self.scoring!r} is not accepted with X_val: on blocks the validation "
                "score is the accuracy. Set scoring='accuracy'."
            )
        given = {"X_val": X_val, "y_val": y_val, "sample_weight_val": sample_weight_val}
        blocks, _ = blocks_of(client, **given)
        blocks = with_weight(client, blocks)
        check_validation(client, task, targets, blocks)
        return blocks


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
            Labels, which decide whether 'auto' encodes at all.

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
