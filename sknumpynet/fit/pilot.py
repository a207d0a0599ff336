"""The pilot run: a first training with rows held out, which decides how training goes on.

If the validation loss turns up after something was learnt, the pilot run ends. Training then goes
on, with all rows, from the better of the best epoch's network and the last one. If the best epoch
was an early one, training instead starts again, with all rows, for somewhat more epochs than it
took to reach it, in steps of the same mean size. The rows that were held out also determine the
temperature of the predicted probabilities, or a shift of the predicted quantiles.

A small table has a network for each of five folds, so that nearly all of its rows are evidence.

A wide table, with fewer rows than features, is trained on in the basis of its principal components.
If not everything was learnt, a second pilot run tries something else. Where features are collinear,
that is a basis in which the variances of the components are closer together; for a small wide
table, the features as they are, in smaller steps; where a few features were not even learnt by
heart, larger features. The run with the smaller validation loss counts.
"""

from dataclasses import replace
from math import inf, sqrt

import numpy as np

from sknumpynet.core import clock
from sknumpynet.core.network import initialize
from sknumpynet.core.schedules import WARMUP
from sknumpynet.core.state import TrainingState
from sknumpynet.data.split import folds_of, split
from sknumpynet.fit.bases import (
    dense_sample,
    enlarged,
    has_small_sample,
    is_wide,
    principal_components,
    rotation,
)
from sknumpynet.fit.evidence import (
    LEARNT_MUCH,
    LONGER,
    Evidence,
    has_turned_up,
    is_below_chance,
    next_phase,
)
from sknumpynet.fit.validation import chance_loss
from sknumpynet.settings.presets import FINAL_FRACTION, is_cross_validated

# This fraction of the rows is held out; more than this many would take time and tell little more.
HELD_OUT, MOST_HELD_OUT = 0.2, 5000
# Parts of the rows of a small table, each of which is held out once.
N_FOLDS = 5
# Columns of the history that are evidence.
SHOWN = "validation_loss", "learning_rate", "loss"
# A wide table of at most this many numbers is also trained on as it is, with this fraction of the
# learning rate.
SMALL_TABLE, CAREFUL = 2**18, 0.2
# At most this many features are enlarged.
FEW_FEATURES = 64


class PilotRun:
    """A network that is trained on some of the rows and validated with the others.

    Parameters
    ----------
    trainer : Trainer
    config : TrainingConfig
        Its ``pilot_epochs`` is the number of epochs.
    untrained : dict
        Snapshot of the initial state.
    make_basis : callable or None
        ``make_basis(X, dtype)`` returns the basis in which the network is trained.
    rows : ndarray of int
        The rows to train on.
    held_out : ndarray of int
        The others.

    Attributes
    ----------
    has_network : bool
        Whether training can go on from its network.
    """

    has_network = True

    def __init__(self, trainer, config, untrained, make_basis, rows, held_out):
        self.trainer, self.config, self.untrained = trainer, config, untrained
        self.make_basis, self.rows, self.held_out = make_basis, rows, trainer.data.take(held_out)
        self.state = self.initial_state(rows)
        self.validation = trainer.validation_set(self.held_out, self.state)
        self.chance = chance_loss(trainer.data, rows, self.held_out)

    def initial_state(self, rows):
        """Return the state in which training on some rows starts."""
        trainer, state = self.trainer, TrainingState.from_snapshot(self.untrained)
        if self.make_basis is not None:
            dtype = state.params.dtype
            basis = self.make_basis(dense_sample(trainer.data.X, rows), dtype)
            state.params = initialize(trainer.network.in_basis(basis), state.rng, dtype)
            state.basis = list(basis)
        return state

    def go_on_after(self, other):
        """Append to the history of another pilot run."""
        self.state.history, self.state.n_iter = other.state.history, other.state.n_iter

    def train(self, phase):
        """Train; return the evidence."""
        self.start, self.n_before = clock.now(), self.state.n_iter
        self.run(phase)
        self.seconds = clock.now() - self.start
        self.evidence = self.gather()
        return self.evidence

    def run(self, phase):
        """Train the network for the part of the time that is left for the pilot run."""
        self.trainer.train(
            replace(self.config, max_iter=self.config.pilot_epochs),
            self.state,
            phase,
            rows=self.rows,
            validation=self.held_out,
            deadline=self.start + (self.trainer.deadline - self.start) / (1 + FINAL_FRACTION),
            until=self.why_stop,
        )

    def why_stop(self):
        """Return a reason to stop if the network is overfitting, not only badly calibrated."""
        losses = self.state.history["validation_loss"][self.n_before :]
        is_warm = len(losses) >= WARMUP * self.config.pilot_epochs
        has_learnt = is_below_chance(min(losses), self.chance, self.held_out.n)
        has_learnt_much = min(losses) < LEARNT_MUCH * self.chance
        if is_warm and has_learnt and not has_learnt_much and has_turned_up(losses):
            evidence = self.gather()
            if evidence.of_best < evidence.of_last:
                return "The validation loss is rising"
        return None

    def outputs(self):
        """Return the outputs of the best epoch and of the last one, for the rows held out."""
        networks = self.state.best["params"], self.state.params
        return [self.validation.outputs(params) for params in networks]

    def gather(self):
        """Return the evidence so far, and keep the calibrations of the best and last epoch."""
        calibrated = [self.validation.calibrate(outputs) for outputs in self.outputs()]
        self.calibrations, losses = zip(*calibrated, strict=True)
        columns = [self.state.history[column][self.n_before :] for column in SHOWN]
        return Evidence(*columns, *losses, self.chance, self.held_out.n)

    def affordable_epochs(self):
        """Return for how many epochs of all rows there is time."""
        left = self.trainer.deadline - clock.now()
        rows_per_second = len(self.evidence.losses) * len(self.rows) / max(self.seconds, 1e-9)
        return left * rows_per_second / self.trainer.data.n

    def end(self, start):
        """Return the state in which training goes on; `start` is 'new', 'best' or 'last'."""
        before = state = self.state
        if start == "best":
            state.restore_best()
        if start == "new":
            self.trainer.observer.say("Starting again, with all rows.")
            state = self.initial_state(self.trainer.data.nonzero_rows)
            state.history, state.n_iter = before.history, before.n_iter
        state.best = None
        vars(state).update(self.calibration_after(start))
        state.has_learnt = self.evidence.has_learnt()
        return state

    def calibration_after(self, start):
        """Return the calibration of the network to come, as attributes of a `TrainingState`.

        A network that goes on ends at a small learning rate, as the last one did. One that starts
        again is trained for longer than the best one was, and for less long than the last one.
        """
        best, last = self.calibrations
        if "shift" in best:
            return {"shift": np.mean([best["shift"], last["shift"]], axis=0).tolist()}
        if start == "new" and "temperature" in best:
            return {"temperature": sqrt(best["temperature"] * last["temperature"])}
        return last


class CrossValidation(PilotRun):
    """A network for each fold, trained on the other folds.

    With few rows, those of one fold would tell little. Together, the predictions of all networks
    for the rows that each has not seen are evidence from nearly all rows.
    """

    has_network = False

    def __init__(self, trainer, config, untrained, make_basis, folds):
        super().__init__(
            trainer, config, untrained, make_basis, trainer.data.nonzero_rows, np.concatenate(folds)
        )
        self.folds = folds

    def run(self, phase):
        """Train a network for each fold, and record them as one."""
        histories, outputs = [], []
        for fold in self.folds:
            rows = np.setdiff1d(self.rows, fold)
            state = self.initial_state(rows)
            of_fold, history = self.trainer.predict_after_each_epoch(self.config, state, rows, fold)
            outputs.append(of_fold)
            histories.append(history)
        self.outputs_of_epochs = np.concatenate(outputs, axis=1)
        measured = [self.validation.measure(of_epoch) for of_epoch in self.outputs_of_epochs]
        self.state.record(phase, histories, measured)
        self.trainer.observer.show(self.state)

    def calibration_after(self, start):
        """Return that of the better epoch: the network to come is trained for as many."""
        if "temperature" not in self.calibrations[0]:
            return super().calibration_after(start)
        return self.calibrations[self.evidence.of_last < self.evidence.of_best]

    def outputs(self):
        """Return the outputs of the best epoch and of the last one for the rows held out."""
        best = np.argmin(self.state.history["validation_loss"][self.n_before :])
        return [self.outputs_of_epochs[epoch] for epoch in (best, -1)]


def pilot_run(trainer, config, state):
    """Train with rows held out; return what is left to do.

    Parameters
    ----------
    trainer : Trainer
    config : TrainingConfig
        Its ``max_iter`` is the number of epochs of the pilot runs and of what follows.
    state : TrainingState
        Initialised.

    Returns
    -------
    config : TrainingConfig
        For all rows; its ``max_iter`` is 0 if nothing is left to do.
    state : TrainingState
    """
    if is_cross_validated(trainer.data) and trainer.deadline == inf:
        kind, parts = CrossValidation, [folds_of(trainer.data, N_FOLDS, state.rng)]
    else:
        fraction = min(HELD_OUT, MOST_HELD_OUT / trainer.data.n)
        kind, parts = PilotRun, split(trainer.data, fraction, state.rng)
    untrained = state.snapshot()
    run = kind(trainer, config, untrained, rotation if is_wide(trainer.data.X) else None, *parts)
    run.train("pilot")
    other_try = second_try(run)
    if other_try is not None:
        make_basis, fraction = other_try
        trainer.observer.say("A second pilot run, in another basis of the features.")
        slower = replace(config, learning_rate_init=fraction * config.learning_rate_init)
        second = kind(trainer, slower, untrained, make_basis, *parts)
        second.go_on_after(run)
        if second.train("second pilot").loss < run.evidence.loss:
            run = second
        else:
            run.go_on_after(second)
    left = 0 if trainer.observer.stopped else config.max_iter - run.state.n_iter
    # A shift of quantiles is that of a network that was trained as long.
    is_shifted = trainer.data.targets.calibration == "shift"
    is_longer = run.has_network and run.make_basis is None and not is_shifted
    phase = next_phase(
        run.evidence,
        left,
        run.affordable_epochs(),
        run.config.learning_rate_init,
        has_network=run.has_network,
        longer=LONGER if is_longer else 1,
    )
    rate = phase.learning_rate_init
    config = replace(config, max_iter=phase.max_iter, learning_rate_init=rate)
    return config, run.end(phase.start)


def second_try(run):
    """Return the `make_basis` of a second pilot run, and its fraction of the learning rate.

    None if there is no need of a second run, or no time.
    """
    trainer, evidence, config = run.trainer, run.evidence, run.config
    left = min(run.affordable_epochs(), config.max_iter - run.state.n_iter)
    after = FINAL_FRACTION if run.has_network else 1
    if trainer.observer.stopped is not None or left < (1 + after) * config.pilot_epochs:
        return None
    X = trainer.data.X
    if evidence.loss > LEARNT_MUCH * evidence.chance:
        if trainer.data.inputs.is_collinear and has_small_sample(X):
            return principal_components, 1
        if run.make_basis is rotation and X.shape[0] * X.shape[1] <= SMALL_TABLE:
            return None, CAREFUL
    if evidence.is_underfitting() and X.shape[1] <= FEW_FEATURES:
        return enlarged, 1
    return None
