"""What the networks for Dask share: training and scoring on blocks."""

from math import inf
from typing import Any, Self

import dask
import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from sknumpynet.core import clock
from sknumpynet.core.types import Table
from sknumpynet.dask.blocks import blocks_of, check_validation, read_blocks, with_weight
from sknumpynet.dask.mixin import DaskMixin
from sknumpynet.dask.passes import score_on, total, train_pass
from sknumpynet.data.read import copy_with, read_validation_data
from sknumpynet.data.targets import targets_of
from sknumpynet.fit.run import random_stream
from sknumpynet.settings.parameters import LARGEST_INT
from sknumpynet.settings.presets import is_auto

MODES = "streaming", "averaging"
# Passes over the blocks that max_iter='auto' means; `effort` multiplies it.
PASSES = 10


class DaskNetworkMixin(DaskMixin):
    """Trains and scores on blocks.

    A subclass has ``_tally``, which returns what a block adds to the score, and ``_score_of``,
    which returns the score of what the blocks have added.
    """

    _own = "mode", "client"

    @property
    def set_callbacks(self):
        """Callbacks are not supported; meta-estimators ask for them by ``hasattr``."""
        raise AttributeError(
            f"{type(self).__name__} does not support callbacks such as Checkpoint. fit keeps the "
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
        y : Dask array, series or data frame of shape (n_samples,) or (n_samples, n_outputs)
            Labels or numbers, in the blocks of X.
        sample_weight : Dask array or series of shape (n_samples,), default=None
            Weight of each row, relative to the others of its block.
        X_val, y_val, sample_weight_val : Dask collections, default=None
            Validation data: `validation_scores_` has their score after each pass.

        Returns
        -------
        self : DaskNumpyMLPClassifier or DaskNumpyMLPRegressor
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
        task, targets = read_blocks(client, self._reader(), blocks)
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
            models = train_pass(client, models, parts, targets.announced)
            scores = [*scores, self._score_on(models[0], validation)] if validation else []
            attributes = total(start, models) | {"validation_scores_": scores or None}
            self._commit(attributes, {"random_state": rng.get_state(legacy=False)}, is_new=True)
            if clock.now() - called > (self.max_time or inf):
                break
        return self

    def predict(self, X: Table) -> Any:
        """Return the predictions, lazily for a Dask collection.

        Parameters
        ----------
        X : Dask array or data frame, or array, of shape (n_samples, n_features)
            Scaled as in training.

        Returns
        -------
        y : Dask array, or ndarray if X is no Dask collection
            As of the local estimator.
        """
        return self._map("predict", X)

    def score(self, X: Table, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy of class labels, or R^2 of numbers.

        Parameters
        ----------
        X : Dask array or data frame, or array, of shape (n_samples, n_features)
            Scaled as in training.
        y : Dask array or series, or array, of shape (n_samples,) or (n_samples, n_outputs)
            The right labels or numbers, in the blocks of X.
        sample_weight : Dask array or series, or array, of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        score : float
            As of the local estimator, within rounding.

        Raises
        ------
        ValueError
            For several quantiles and Dask collections.
        """
        check_is_fitted(self)
        if not dask.is_dask_collection(X):
            return self.to_local().score(X, y, sample_weight)
        self._check_score(targets_of(vars(self)))
        client = self._client()
        blocks, _ = blocks_of(client, X=X, y=y, sample_weight=sample_weight)
        return self._score_on(self.to_local(), with_weight(client, blocks))

    def _check_score(self, targets):
        """Raise unless the score can be computed from blocks."""

    def _score_on(self, model, blocks):
        """Return the score on blocks."""
        return self._score_of(score_on(self._client(), model, blocks, self._tally))

    def _partial_fit(self, X, *arguments, **keywords):
        if dask.is_dask_collection(X):
            raise TypeError(
                f"A Dask {type(X).__name__} is not accepted as X of partial_fit. For one more pass "
                "over its blocks call fit, with max_iter=1 and warm_start=True."
            )
        return super()._partial_fit(X, *arguments, **keywords)

    def _parameters(self):
        if self.mode not in MODES:
            raise ValueError(f"mode={self.mode!r} is not accepted: it must be one of {MODES}.")
        if self.solver == "lbfgs":
            raise ValueError(
                "solver='lbfgs' is not accepted: it needs all rows at once, and "
                f"{type(self).__name__} trains block by block. Use 'adam' or 'sgd'."
            )
        if self.early_stopping:
            raise ValueError(
                f"early_stopping=True is not accepted: {type(self).__name__} trains block by block "
                "as partial_fit does. Set early_stopping=False and pass X_val and y_val to see "
                "validation_scores_."
            )
        return super()._parameters()

    def _reader(self):
        """Return an estimator that reads blocks: without class weights, which need all of them."""
        return copy_with(clone(self.to_local()), {"class_weight": None})

    def _start(self, rng, targets):
        """Return the local estimator from which all workers start."""
        start = clone(self.to_local())
        if self.warm_start and self.__sklearn_is_fitted__():
            targets_of(vars(self)).check_continues(targets.example, None, complete=True)
            self._check_continues(self.get_params(deep=False))
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
        if self.scoring != targets.score_name:
            raise ValueError(
                f"scoring={self.scoring!r} is not accepted with X_val: on blocks the validation "
                f"score is {targets.score_name!r}. Set scoring={targets.score_name!r}."
            )
        self._check_score(targets)
        given = {"X_val": X_val, "y_val": y_val, "sample_weight_val": sample_weight_val}
        blocks, _ = blocks_of(client, **given)
        blocks = with_weight(client, blocks)
        check_validation(client, self._reader(), task, targets, blocks)
        return blocks
