"""The scout: a first training with rows held out, from which that on all rows learns.

If its loss on the other rows turns up, the network has begun to learn by heart: training starts
again, with all rows, for somewhat more epochs than it took to the least loss. If not, the network
is the one wanted but for the rows it has not seen: it goes on with all of them for a while.
"""

from copy import copy
from math import ceil
from time import perf_counter

import numpy as np

from sknumpynet.descent import Descent
from sknumpynet.schedules import WARM_UP

# Held out are so many of the rows; more would take time and tell little more.
PART, MOST = 0.2, 5000
# The loss has turned up if over the last epochs it is so many times its least; then all rows get so
# many times the epochs that it took to the least.
TURNED_UP, LONGER = 1.1, 1.5
# If not, they get that part of the epochs more, at that part of the learning rate.
MORE, SLOWER = 0.25, 0.5


def scout(model, data, settings, task):
    """Train the model with rows held out; change `settings` to what is left to do.

    Parameters
    ----------
    model : NumpyMLPClassifier
        Initialised.
    data : Data
    settings : NumpyMLPClassifier
        Has its hyper-parameters, settled.
    task : FitTask

    Returns
    -------
    model : NumpyMLPClassifier
        To train on all rows: the one that was given, or a copy of what it was.
    reason : str or None
        Why it is to be left as it is: time is over, or a callback has asked for it.
    """
    start, untrained, watched = perf_counter(), copy(model), copy(settings)
    untrained.loss_curve_, untrained.history_ = [], {column: [] for column in model.history_}
    watched.early_stopping, watched.scoring = True, "loss"
    watched.validation_fraction = min(PART, MOST / data.n)
    descent, losses = Descent(model, data, watched), model.history_["validation_loss"]
    turned_up = "The loss on rows held out has turned up"
    warm = WARM_UP * settings.max_iter

    def until():
        return turned_up if len(losses) >= warm and has_turned_up(losses) else None

    reason = descent.run(task, until)
    if settings.max_time is not None:
        settings.max_time -= perf_counter() - start
    if reason == turned_up:
        settings.max_iter = min(settings.max_iter, ceil(LONGER * (int(np.argmin(losses)) + 1)))
        if model.verbose:
            print(f"{turned_up}. Starting again, with all rows and {settings.max_iter} epochs.")
        return untrained, None
    settings.max_iter = ceil(MORE * settings.max_iter)
    settings.learning_rate_init *= SLOWER
    model.validation_scores_ = model.best_validation_score_ = None
    model.best_loss_ = min(model.loss_curve_)
    return model, reason


def has_turned_up(losses):
    """Tell whether the least loss is in the first half, and that of the last quarter well above it.

    Parameters
    ----------
    losses : list of float
        One for each epoch.

    Examples
    --------
    >>> from sknumpynet.scout import has_turned_up
    >>> has_turned_up([0.9, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6])
    True
    >>> has_turned_up([0.9, 0.5, 0.6, 0.6, 0.5, 0.4, 0.3])
    False
    """
    n, best = len(losses), int(np.argmin(losses))
    lately = np.mean(losses[-max(2, n // 4) :])
    return n >= 2 * best + 5 and bool(lately > TURNED_UP * losses[best])
