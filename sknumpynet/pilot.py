"""The pilot run: a first training with rows held out, which decides how training goes on.

If the validation loss turns up, the network is overfitting. Training then starts again, with all
rows, for somewhat more epochs than it took to reach the smallest validation loss, and in steps of
the same mean size. If it does not, the network only lacks the rows that were held out, and goes on
with all of them for a while.

The rows that were held out also determine the temperature of the predicted probabilities.
"""

from dataclasses import replace
from math import ceil
from time import perf_counter

import numpy as np

from sknumpynet.core.schedules import WARMUP
from sknumpynet.core.state import TrainingState
from sknumpynet.defaults import FINAL_FRACTION
from sknumpynet.validation import split

# This fraction of the rows is held out; more than this many would take time and tell little more.
HELD_OUT, MOST_HELD_OUT = 0.2, 5000
# The loss has turned up if its recent mean is this many times its minimum. All rows are then
# trained on for this many times the epochs that it took to the minimum.
TURNED_UP, LONGER = 1.1, 1.5
# A network that goes on does so at this fraction of the learning rate.
SLOWER = 0.5


def pilot_run(fit, config, state):
    """Train with rows held out; return what is left to do.

    Parameters
    ----------
    fit : Fit
    config : TrainingConfig
        Its ``max_iter`` is the number of epochs of the pilot run and of what follows.
    state : TrainingState
        Initialised.

    Returns
    -------
    config : TrainingConfig
        For all rows; its ``max_iter`` is 0 if nothing is left to do.
    state : TrainingState
        The one that was given, or a new one.
    """
    untrained = state.snapshot()
    n, start = fit.data.n, perf_counter()
    rows, held_out = split(fit.data, min(HELD_OUT, MOST_HELD_OUT / n), state.rng)
    validation = fit.data.take(held_out)
    n_epochs = int(config.max_iter / (1 + FINAL_FRACTION))
    turned_up = "The validation loss is rising"

    def until():
        losses = state.history["validation_loss"]
        rising = len(losses) >= WARMUP * n_epochs and has_turned_up(losses)
        return turned_up if rising else None

    reason = fit.train(
        replace(config, max_iter=n_epochs),
        state,
        "pilot",
        rows=rows,
        validation=validation,
        deadline=start + (fit.deadline - start) / (1 + FINAL_FRACTION),
        until=until,
    )
    best, used = int(np.argmin(state.history["validation_loss"])) + 1, state.n_iter
    left, now = config.max_iter - used, perf_counter()
    # As many epochs as it took to the minimum, of all rows, have to fit into the time that is left.
    is_time_left = best * (now - start) * n <= (fit.deadline - now) * used * len(rows)
    state.restore_best()
    fit.calibrate(state, validation)
    if reason == turned_up and best <= left and is_time_left:
        fit.observer.say("Starting again, with all rows.")
        again = TrainingState.from_snapshot(untrained)
        again.history, again.n_iter, again.temperature = state.history, used, state.temperature
        # Up to the minimum there may have been little more than the warm-up. The mean of a whole
        # cycle is half its peak.
        mean_rate = float(np.mean(state.history["learning_rate"][:best]))
        peak = min(config.learning_rate_init, 2 * mean_rate)
        n_epochs = min(left, ceil(LONGER * best))
        return replace(config, max_iter=n_epochs, learning_rate_init=peak), again
    slower = config.learning_rate_init * SLOWER
    n_epochs = min(left, ceil(FINAL_FRACTION * used))
    return replace(config, max_iter=n_epochs, learning_rate_init=slower), state


def has_turned_up(losses):
    """Tell whether the minimum is in the first half, and the mean of the last quarter well above.

    Parameters
    ----------
    losses : list of float
        One for each epoch.

    Examples
    --------
    >>> from sknumpynet.pilot import has_turned_up
    >>> has_turned_up([0.9, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6])
    True
    >>> has_turned_up([0.9, 0.5, 0.6, 0.6, 0.5, 0.4, 0.3])
    False
    """
    n, best = len(losses), int(np.argmin(losses))
    lately = np.mean(losses[-max(2, n // 4) :])
    return n >= 2 * best + 5 and bool(lately > TURNED_UP * losses[best])
