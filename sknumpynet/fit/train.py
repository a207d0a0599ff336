"""Training: one phase of it, told to the observer epoch by epoch."""

from dataclasses import dataclass, replace
from functools import partial
from math import inf

import numpy as np

from sknumpynet.core.blas import limit_blas
from sknumpynet.core.lbfgs import fit_lbfgs
from sknumpynet.core.network import Network, forward_in_blocks
from sknumpynet.core.state import HISTORY, PILOT_RUNS
from sknumpynet.core.training import TrainingRun
from sknumpynet.data.rows import Data
from sknumpynet.fit.attributes import network_in_basis
from sknumpynet.fit.observer import FitObserver
from sknumpynet.fit.validation import ValidationSet


@dataclass
class Trainer:
    """What all phases of a call of `fit` or `partial_fit` have in common.

    Parameters
    ----------
    network : Network
    data : Data
        Weighted by sample and class weights.
    view : estimator or None
        Has all fitted attributes except ``params_``, for scorers; None without validation data.
    observer : FitObserver
    deadline : float
        Time, as `core.clock.now` tells it, at which the call has to end; inf if there is none.
    """

    network: Network
    data: Data
    view: object
    observer: FitObserver
    deadline: float = inf

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
            The time to end at, if it is not the deadline of the fit.
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
        run.report = self.observer.report
        with limit_blas(run.largest_product):
            self.observer.begin_epoch(run)
            if config.solver == "lbfgs":
                return fit_lbfgs(run, partial(self.observer.end_epoch, run))
            for reason in run.epochs():
                if reason is None and until is not None:
                    reason = until()
                reason = self.observer.end_epoch(run, reason)
                if reason is not None:
                    return reason
        return None

    def predict_after_each_epoch(self, config, state, rows, others):
        """Train a network of a pilot run; return its outputs for other rows, and its history.

        Returns
        -------
        outputs : ndarray of shape (n_epochs, n_others, n_outputs)
        history : dict of lists
        """
        network, X = network_in_basis(self.network, state.basis), self.data.take(others).X
        state.start_phase("pilot")
        state.history = {column: [] for column in HISTORY}
        config = replace(config, max_iter=config.pilot_epochs)
        run = TrainingRun(network, self.data, config, state, rows)
        with limit_blas(run.largest_product):
            outputs = [forward_in_blocks(X, state.params, network) for _ in run.epochs()]
        return np.stack(outputs), state.history

    def validation_set(self, validation, state):
        """Return the validation data, for the network of a state."""
        return ValidationSet(validation, network_in_basis(self.network, state.basis), self.view)
