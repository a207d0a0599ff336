"""The phases of a fit: what the pilot run and the training after it have in common."""

from dataclasses import dataclass, replace
from math import inf, nan
from time import perf_counter

import numpy as np

from sknumpynet.callbacks import FitObserver
from sknumpynet.core.arrays import aligned_copy
from sknumpynet.core.blas import limit_blas
from sknumpynet.core.network import Network, forward_in_blocks, initialize
from sknumpynet.core.state import (
    HISTORY,
    PILOT_RUNS,
    TrainingConfig,
    TrainingState,
    restored_stream,
)
from sknumpynet.core.training import TrainingRun
from sknumpynet.data import Data
from sknumpynet.fitted import network_in_basis, network_of
from sknumpynet.inputs import sample
from sknumpynet.pilot import pilot_run
from sknumpynet.split import split
from sknumpynet.validation import ValidationSet

# With a time limit, one evaluation of the validation set takes at most this part of it. So many
# rows are evaluated to find out how many that are.
VALIDATION_TIME, TIMED_ROWS = 0.05, 1000


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

        Raises
        ------
        ValueError
            If no score is finite, though scores are to choose the best epoch.
        """
        saved = self.observer.find_checkpoint(self.view, config, state, self.data, validation)
        rows = None
        if config.early_stopping and validation is None:
            rows, held_out = split(self.data, config.validation_fraction, state.rng)
            validation = self.data.take(held_out)
        validation = self.affordable(validation, state)
        if config.pilot_epochs and saved is not None and saved["state"]["phase"] == "fit":
            config = TrainingConfig.from_values(saved["config"])
        elif config.pilot_epochs:
            config, state = pilot_run(self, config, state)
        reason = self.observer.stopped
        if config.max_iter > 0 and reason is None:
            reason = self.train(config, state, "fit", rows=rows, validation=validation)
            if config.early_stopping and state.best_score == -inf:
                self.observer.last = None  # there is no network to fall back to
                raise ValueError(
                    f"scoring={self.view.scoring!r} gave no finite score in any epoch, so there is "
                    "no best one. Choose another scoring, or pass X_val and y_val for which it is "
                    "defined."
                )
            state.restore_best()
        return state, reason

    def train(self, config, state, phase, *, rows=None, validation=None, deadline=None, until=None):
        """Train for one phase; return why it ended, or None at the end of max_iter.

        Parameters
        ----------
        config : TrainingConfig
        state : TrainingState
        phase : {'pilot', 'second pilot', 'fit', 'partial_fit'}
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
            validate = self.validation_set(validation, state).evaluate
            monitor = "validation_score" if config.early_stopping else "loss"
            monitor = "validation_loss" if phase in PILOT_RUNS else monitor
        state.start_phase(phase)
        reason = self.observer.resume(state)
        if reason is not None:
            return reason
        network = network_in_basis(self.network, state.basis)
        run = TrainingRun(network, self.data, config, state, rows, validate, monitor)
        run.budget.deadline = self.deadline if deadline is None else deadline
        with limit_blas(run.largest_product):
            return self.observer.train(run, until)

    def predict_after_each_epoch(self, config, state, rows, others):
        """Train a network of a pilot run; return its logits for other rows, and its history.

        Returns
        -------
        logits : ndarray of shape (n_epochs, n_others, n_outputs)
        history : dict of lists
        """
        network, X = network_in_basis(self.network, state.basis), self.data.take(others).X
        state.start_phase("pilot")
        state.history = {column: [] for column in HISTORY}
        config = replace(config, max_iter=config.pilot_epochs)
        run = TrainingRun(network, self.data, config, state, rows)
        with limit_blas(run.largest_product):
            logits = [forward_in_blocks(X, state.params, network) for _ in run.epochs()]
        return np.stack(logits), state.history

    def affordable(self, validation, state):
        """Return as many validation rows as are evaluated in a small part of the time limit."""
        if validation is None or self.deadline == inf:
            return validation
        rows, start = np.arange(validation.n), perf_counter()
        few = sample(rows, TIMED_ROWS)
        forward_in_blocks(validation.take(few).X[:], state.params, self.network)
        now = perf_counter()
        rows_per_second = len(few) / max(now - start, 1e-9)
        most = int(VALIDATION_TIME * max(self.deadline - now, 0) * rows_per_second)
        kept = sample(rows, max(most, len(few)))
        return validation if len(kept) == validation.n else validation.take(kept)

    def validation_set(self, validation, state):
        """Return the validation data, for the network of a state."""
        return ValidationSet(validation, network_in_basis(self.network, state.basis), self.view)
