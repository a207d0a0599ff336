"""What all estimators of networks share: a call of `fit`, its fitted attributes, predictions."""

from copy import copy
from functools import partial
from math import inf

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sknumpynet.core import clock
from sknumpynet.core.network import forward_in_blocks, views
from sknumpynet.core.types import Floats
from sknumpynet.data.features import read_features
from sknumpynet.data.read import copy_with, read_training_data, read_validation_data
from sknumpynet.fit.advice import (
    warn_about,
    warn_of_chance,
    warn_of_limit,
    warn_of_overfitting,
    warn_of_time,
)
from sknumpynet.fit.attributes import Layers, describe_fit, network_of
from sknumpynet.fit.callbacks import CallbackSupportMixin
from sknumpynet.fit.observer import FitObserver
from sknumpynet.fit.run import run_fit, start
from sknumpynet.fit.train import Trainer
from sknumpynet.settings.html import RepresentationMixin
from sknumpynet.settings.parameters import PARAMETERS, check_parameters
from sknumpynet.settings.presets import is_auto, resolve
from sknumpynet.versioning import VersionMixin


class NetworkEstimator(RepresentationMixin, VersionMixin, CallbackSupportMixin, BaseEstimator):
    """Validate, resolve the parameters, train, write the fitted attributes.

    A subclass has the parameters as arguments of its ``__init__``, ``_targets``, the class that
    knows what y is, and ``_new_targets(y, weight, announced)``, which makes one for new data.
    """

    def _fit(self, X, y, sample_weight, validation):
        """Train on X and y; `validation` are X_val, y_val and sample_weight_val."""
        called = clock.now()
        is_new = not (self.warm_start and self.__sklearn_is_fitted__())
        values = self._parameters()
        fitted = None if is_new else self.settings_
        if not is_new:
            self._check_continues(values)
        task, data = read_training_data(self, X, y, sample_weight, is_new=is_new, complete=True)
        validation = read_validation_data(self, *validation, task, data.targets)
        config = resolve(values, data, fitted=fitted, validated=validation is not None)
        warn_about(self, data, validation)
        network, state = start(self, task, config, is_new=is_new)
        attributes = partial(describe_fit, task, config, resumable=self.warm_start)
        observed = {"X": X, "y": y, "metadata": {}}
        observer = FitObserver(self, config.max_iter, attributes, observed)
        deadline = called + (self.max_time or inf)
        trainer = Trainer(network, data, self._view(task, config), observer, deadline)
        try:
            state, reason = run_fit(trainer, config, state, validation)
            observer.end(state)
        finally:
            if observer.last is not None:
                self._commit(attributes(observer.last), observer.last, is_new=is_new)
        warn_of_chance(self, state.has_learnt, data.targets)
        warn_of_overfitting(self, data.targets)
        warn_of_time(self, config, data.targets)
        if reason is None:
            warn_of_limit(self, config)
        return self

    def _partial_fit(self, X, y, sample_weight, announced=None):
        """Train for one epoch on X and y; the first call starts a new network."""
        values = self._parameters()
        if self.early_stopping:
            raise ValueError(
                "partial_fit does not support early_stopping=True: it sees no validation data. "
                "Set early_stopping=False, and score held-out rows between calls."
            )
        is_new = not self.__sklearn_is_fitted__()
        fitted = None if is_new else self.settings_
        if not is_new:
            self._check_continues(values)
        task, data = read_training_data(self, X, y, sample_weight, announced, is_new=is_new)
        config = resolve(values, data, is_fit=False, fitted=fitted)
        network, state = start(self, task, config, is_new=is_new)
        state.n_iter = 0 if is_new else self.n_iter_
        observer = FitObserver(self, state.n_iter + 1)
        Trainer(network, data, None, observer).train(config, state, "partial_fit")
        observer.end(state)
        attributes = describe_fit(task, config, observer.last, resumable=True)
        self._commit(attributes, observer.last, is_new=is_new)
        return self

    @property
    def coefs_(self) -> list[Floats]:
        """Weights of each layer, (fan_in, fan_out): views of `params_`. Items can be assigned."""
        return Layers(self._views("coefs_")[0])

    @coefs_.setter
    def coefs_(self, values):
        self.coefs_[:] = values

    @property
    def intercepts_(self) -> list[Floats]:
        """Biases of each layer, (fan_out,): views of `params_`. Items can be assigned."""
        return Layers(self._views("intercepts_")[1])

    @intercepts_.setter
    def intercepts_(self, values):
        self.intercepts_[:] = values

    def __sklearn_is_fitted__(self):
        return "params_" in vars(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _parameters(self):
        """Return the parameters as a dict, checked; a subclass may have others in `__init__`."""
        values = {name: getattr(self, name) for name in PARAMETERS if hasattr(self, name)}
        check_parameters(values)
        return values

    def _check_continues(self, values):
        """Raise if the parameters describe another network than the fitted one."""
        check_architecture(values, self.settings_)

    def _frozen(self):
        """Return a shallow copy, which a fit in another thread does not change."""
        frozen = copy(self)
        check_is_fitted(frozen)
        return frozen

    def _views(self, asked):
        """Return the weights and the biases of each layer, which the attribute `asked` shows."""
        attributes = vars(self)  # another dict after a fit in another thread
        if "params_" not in attributes:
            raise AttributeError(f"{type(self).__name__} has {asked} only once it is fitted.")
        return views(attributes["params_"], network_of(attributes).sizes)

    def _predict_blocks(self, X, transform):
        def checked(logits):
            if not np.isfinite(logits).all():
                raise ValueError(
                    "X has values that are too large: the network's output is not finite. Scale X "
                    "as in training, for instance with StandardScaler in a Pipeline."
                )
            return transform(logits)

        return forward_in_blocks(
            read_features(self, X), self.params_, network_of(vars(self)), checked
        )

    def _view(self, task, config):
        """Return a copy that lacks only `params_`, for scorers of arrays without feature names."""
        view = copy_with(self, {**task, "settings_": dict(vars(config))})
        vars(view).pop("feature_names_in_", None)
        return view

    def _commit(self, attributes, snapshot, *, is_new):
        """Write the fitted attributes, all in one step, and advance a RandomState of the user's."""
        updated = vars(self) | attributes
        if "feature_names_in_" not in attributes:
            updated.pop("feature_names_in_", None)
        self._replace_state(updated)
        if is_new and isinstance(self.random_state, np.random.RandomState):
            self.random_state.set_state(snapshot["random_state"])


def check_architecture(values, fitted):
    """Raise if the parameters describe another network than the one that is trained further.

    Parameters
    ----------
    values : dict
        The parameters of the estimator.
    fitted : dict
        ``settings_`` of the network.
    """
    hidden, sizes = values["hidden_layer_sizes"], fitted["hidden_layer_sizes"]
    activation = fitted["activation"]
    same_sizes = is_auto(hidden) or tuple(np.ravel(hidden)) == sizes
    if not same_sizes or values["activation"] not in ("auto", activation):
        raise ValueError(
            f"hidden_layer_sizes={hidden!r}, activation={values['activation']!r} differ from the "
            f"network's {sizes}, {activation!r}: restore them, or start a new estimator."
        )
