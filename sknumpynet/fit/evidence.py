"""What a pilot run has shown, and how training goes on: pure functions of its records.

A network that is no better than predicting the class frequencies has not learnt yet, which is not
overfitting. One that is only too sure of its answers is not worse than one before: the networks of
the best epoch and of the last one are compared after calibration.
"""

from dataclasses import dataclass
from math import ceil, sqrt
from typing import NamedTuple

import numpy as np

from sknumpynet.settings.presets import FINAL_FRACTION

# The loss has turned up if its recent mean is this many times its minimum. All rows are then
# trained on for this many times the epochs that it took to the minimum.
TURNED_UP, LONGER = 1.1, 1.5
# A validation loss is clearly below chance, the loss of the class frequencies, if it is below
# BELOW_CHANCE times chance and below chance minus STANDARD_ERROR / sqrt(rows held out).
BELOW_CHANCE, STANDARD_ERROR = 0.95, 0.5
# Below this fraction of it, everything that matters is learnt.
LEARNT_MUCH = 0.05
# A network whose training loss ends above this fraction of it has not fitted its training rows.
UNDERFITTING = 0.3
# A network that goes on does so at this fraction of the learning rate.
SLOWER = 0.5


@dataclass(frozen=True)
class Evidence:
    """What a pilot run has shown.

    Parameters
    ----------
    losses, rates, training_losses : list of float
        Validation loss, learning rate and training loss of each epoch.
    of_best, of_last : float
        Validation losses of the best epoch's network and of the last one, after calibration.
    chance : float
        Validation loss of predicting the class frequencies.
    n_rows : int
        Rows that are held out.
    """

    losses: list
    rates: list
    training_losses: list
    of_best: float
    of_last: float
    chance: float
    n_rows: int

    @property
    def best_epoch(self):
        """Number of the epoch with the smallest validation loss, from 1."""
        return int(np.argmin(self.losses)) + 1

    @property
    def loss(self):
        """Validation loss of the better network, after calibration."""
        return min(self.of_best, self.of_last)

    def has_learnt(self):
        """Tell whether that is clearly less than the loss of the class frequencies.

        It counts as learnt if that loss is so small, as for a single class, that none is clearly
        less.
        """
        is_trivial = not is_below_chance(0.0, self.chance, self.n_rows)
        return is_trivial or is_below_chance(self.loss, self.chance, self.n_rows)

    def is_underfitting(self):
        """Tell whether nothing was learnt, not even the training rows by heart."""
        return not self.has_learnt() and self.training_losses[-1] > UNDERFITTING * self.chance


class NextPhase(NamedTuple):
    """How training goes on with all rows: from which network, how long, at which peak rate."""

    start: str
    max_iter: int
    learning_rate_init: float


def next_phase(evidence, left, affordable, learning_rate_init, *, has_network=True, longer=LONGER):
    """Decide how training goes on after a pilot run.

    Parameters
    ----------
    evidence : Evidence
    left : int
        Epochs that are left.
    affordable : float
        Epochs of all rows for which there is time.
    learning_rate_init : float
        Of the pilot run.
    has_network : bool
        Whether training can go on from a network of the pilot run.
    longer : float
        A new training has this many times the epochs up to the best one.

    Returns
    -------
    phase : NextPhase
        Its ``start`` is 'new', 'best' or 'last'.
    """
    best, used = evidence.best_epoch, len(evidence.losses)
    is_best_better = evidence.of_best <= evidence.of_last
    is_worse_now = has_turned_up(evidence.losses) and is_best_better
    has_learnt_much = evidence.of_best < LEARNT_MUCH * evidence.chance
    if is_worse_now and not has_learnt_much and best <= min(left, affordable):
        # Up to the minimum there may have been little more than the warm-up. The mean of a whole
        # cycle is half its peak.
        peak = min(learning_rate_init, 2 * float(np.mean(evidence.rates[:best])))
        n_epochs = ceil(longer * best)
        return NextPhase("new", min(left, n_epochs), peak)
    if not has_network:
        return NextPhase("new", min(left, used), learning_rate_init)
    start = "best" if is_best_better else "last"
    n_epochs = min(left, ceil(FINAL_FRACTION * used))
    return NextPhase(start, n_epochs, SLOWER * learning_rate_init)


def is_below_chance(loss, chance, n_rows):
    """Tell whether a validation loss is clearly below chance, the loss of the class frequencies."""
    return loss < min(BELOW_CHANCE * chance, chance - STANDARD_ERROR / sqrt(n_rows))


def has_turned_up(losses):
    """Tell whether the minimum is in the first half, and the mean of the last quarter well above.

    Parameters
    ----------
    losses : list of float
        One for each epoch.

    Examples
    --------
    >>> from sknumpynet.fit.evidence import has_turned_up
    >>> has_turned_up([0.9, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6])
    True
    >>> has_turned_up([0.9, 0.5, 0.6, 0.6, 0.5, 0.4, 0.3])
    False
    """
    n, best = len(losses), int(np.argmin(losses))
    lately = np.mean(losses[-max(2, n // 4) :])
    return n >= 2 * best + 5 and bool(lately > TURNED_UP * losses[best])
