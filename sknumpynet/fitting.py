"""The phases of a fit: what the pilot run and the training after it have in common."""

from dataclasses import dataclass
from math import inf, nan

import numpy as np

from sknumpynet.callbacks import FitObserver
from sknumpynet.core.arrays import aligned_copy
from sknumpynet.core.blas import limit_blas
from sknumpynet.core.network import Network, initialize
from sknumpynet.core.state import HISTORY, TrainingConfig, TrainingState, restored_stream
from sknumpynet.core.training import TrainingRun
from sknumpynet.data import Data
from sknumpynet.fitted import network_of
from sknumpynet.pilot import pilot_run
from sknumpynet.validation import ValidationSet, split


def start(estimator, task, config, *, is_new):
    """Return the network, and the state in which its training starts."""
    network = network_of({**task, "settings_": vars(config)})
    rng = random_stream(estimator, None if is_new else estimator._resume.get("random_state"))
    if is_new:
        return network, TrainingState(initialize(network, rng, config.dtype), rng)
    unknown = [nan] * len(estimator.loss_curve_)  # a column that the version before did not have
    return network, TrainingState(
        aligned_copy(estimator.params_, config.dtype),
        rng,
        optimizer=estimator._resume.get("optimizer", {}),
        samples_seen=estimator.t_,
        temperature=estimator.temperature_,
        history={name: list(estimator.history_.get(name, unknown)) for name in HISTORY},
    )


def random_stream(estimator, saved):
    """Return a stream of its own: as it was saved, or as `random_state` says."""
    rng = estimator.random_state
    if saved is not None:
        return restored_stream(saved)
    if isinstance(rng, np.random.RandomState):
        return restored_stream(rng.get_state(legacy=False))
    return np.random.RandomState(np.random.randint(2**32, dtype=np.uint32) if rng is None else rng)


@dataclass
class Fit:
    """A call of `fit`, once everything is validated.

    Parameters
    ----------
    network : Network
    data : Data
        Weighted by sample and class weights.
    view : NumpyMLPClassifier or None
        A fitted estimator but for its ``params_``, for scorers; None without validation data.
    observer : FitObserver
    deadline : float
        Time, as told by `time.perf_counter`, at which the call has to end; inf if there is none.
    """

    network: Network
    data: Data
    view: object
    observer: FitObserver
    deadline: float = inf

    def run(self, config, state, validation=None):
        """Train from the start to the end; return the final state, and why it ended or None.

        Parameters
        ----------
        config : TrainingConfig
        state : TrainingState
        validation : Data or None
            Validation data that the user passed.
        """
        saved = self.observer.find_checkpoint(self.view, config, state, self.data, validation)
        rows = None
        if config.early_stopping and validation is None:
            rows, held_out = split(self.data, config.validation_fraction, state.rng)
            validation = self.data.take(held_out)
        if config.pilot_run and saved is not None and saved["state"]["phase"] == "fit":
            config = TrainingConfig.from_values(saved["config"])
        elif config.pilot_run:
            config, state = pilot_run(self, config, state)
        reason = self.observer.stopped
        if config.max_iter > 0 and reason is None:
            reason = self.train(config, state, "fit", rows=rows, validation=validation)
            state.restore_best()
        return state, reason

    def train(self, config, state, phase, *, rows=None, validation=None, deadline=None, until=None):
        """Train for one phase; return why it ended, or None at the end of max_iter.

        Parameters
        ----------
        config : TrainingConfig
        state : TrainingState
        phase : {'pilot', 'fit', 'partial_fit'}
        rows : ndarray of int or None
            The rows to train on; None is all of them.
        validation : Data or None
        deadline : float or None
            If it is not that of the fit.
        until : callable or None
            ``until()`` may return a reason to stop after each epoch.
        """
        validate, monitor = None, "loss"
        if validation is not None:
            validate = ValidationSet(validation, self.network, self.view).evaluate
            monitor = "validation_score" if config.early_stopping else "loss"
            monitor = "validation_loss" if phase == "pilot" else monitor
        state.start_phase(phase)
        reason = self.observer.resume(state)
        if reason is not None:
            return reason
        run = TrainingRun(self.network, self.data, config, state, rows, validate, monitor)
        run.budget.deadline = self.deadline if deadline is None else deadline
        largest_layer = max(W.size for W in run.backprop.weights)
        with limit_blas(run.minibatches.batch_size * largest_layer):
            return self.observer.train(run, until)

    def calibrate(self, state, validation):
        """Set the temperature, by data that the network was not trained on."""
        held_out = ValidationSet(validation, self.network, self.view)
        state.temperature = held_out.temperature(state.params)
