"""A call of `fit` from its start to its end: validation split, pilot run, training on all rows."""

from math import exp, inf, nan

import numpy as np

from sknumpynet.core import clock
from sknumpynet.core.arrays import aligned_copy
from sknumpynet.core.config import TrainingConfig
from sknumpynet.core.network import forward_in_blocks, initialize
from sknumpynet.core.state import HISTORY, TrainingState, restored_stream
from sknumpynet.data.split import sample, split
from sknumpynet.fit.attributes import network_of
from sknumpynet.fit.pilot import pilot_run
from sknumpynet.fit.validation import LOG_TEMPERATURE
from sknumpynet.settings.presets import PILOT_ROWS

# With a time limit, evaluating the validation set once takes at most the fraction VALIDATION_TIME
# of it. Evaluating TIMED_ROWS tells how many rows that are.
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
    """Return a new random stream: as it was saved, or as `random_state` says."""
    rng = estimator.random_state
    if saved is not None:
        return restored_stream(saved)
    if isinstance(rng, np.random.RandomState):
        return restored_stream(rng.get_state(legacy=False))
    return np.random.RandomState(np.random.randint(2**32, dtype=np.uint32) if rng is None else rng)


def run_fit(trainer, config, state, validation=None):
    """Train from the start to the end; return the final state, and why it ended or None.

    Parameters
    ----------
    trainer : Trainer
    config : TrainingConfig
    state : TrainingState
    validation : Data or None
        Validation data that the user passed.

    Raises
    ------
    ValueError
        If no score is finite, though scores are to choose the best epoch.
    """
    data, view, observer = trainer.data, trainer.view, trainer.observer
    saved = observer.find_checkpoint(view, config, state, data, validation)
    rows = None
    if config.early_stopping and validation is None:
        rows, held_out = split(data, config.validation_fraction, state.rng)
        validation = data.take(held_out)
    if validation is not None and trainer.deadline < inf:
        validation = affordable(trainer, validation, state)
    if config.pilot_epochs and saved is not None and saved["state"]["phase"] == "fit":
        config = TrainingConfig.from_values(saved["config"])
    elif config.pilot_epochs:
        config, state = pilot_run(trainer, config, state)
    elif is_tiny(trainer, config, state, validation):
        state.temperature = exp(LOG_TEMPERATURE)
    reason = observer.stopped
    if config.max_iter > 0 and reason is None:
        reason = trainer.train(config, state, "fit", rows=rows, validation=validation)
        if config.early_stopping and state.best_score == -inf:
            observer.last = None  # there is no network to fall back to
            raise ValueError(
                f"scoring={view.scoring!r} gave no finite score in any epoch, so there is no best "
                "one. Choose another scoring, or pass X_val and y_val for which it is defined."
            )
        state.restore_best()
    return state, reason


def is_tiny(trainer, config, state, validation):
    """Tell whether a tuned network is new, and there are too few rows to calibrate it."""
    data = trainer.data
    return (
        trainer.view.preset == "tuned"
        and config.solver != "lbfgs"
        and data.targets.calibration == "temperature"
        and data.n_distinct < PILOT_ROWS
        and validation is None
        and state.samples_seen == 0
    )


def affordable(trainer, validation, state):
    """Return as many validation rows as are evaluated in a small part of the time limit."""
    rows, start = np.arange(validation.n), clock.now()
    few = sample(rows, TIMED_ROWS)
    forward_in_blocks(validation.take(few).X[:], state.params, trainer.network)
    now = clock.now()
    rows_per_second = len(few) / max(now - start, 1e-9)
    most = int(VALIDATION_TIME * max(trainer.deadline - now, 0) * rows_per_second)
    kept = sample(rows, max(most, len(few)))
    return validation if len(kept) == validation.n else validation.take(kept)
