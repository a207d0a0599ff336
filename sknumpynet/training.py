"""Training: an endless generator of epochs, and the patience that ends it.

`epochs` knows neither which optimizer it steps nor why it will be stopped: ``fit`` takes the first
``max_iter`` of it, ``partial_fit`` takes the next one.
"""

from math import inf, isfinite

import numpy as np


def epochs(backprop, minibatches, optimizer, state, rate, rng, t=0):
    """Train one pass after another; yield each pass's mean loss and its last learning rate.

    Parameters
    ----------
    backprop : Backprop
        Holds the parameters; they change in place.
    minibatches : Minibatches
    optimizer : object of `sknumpynet.optimizers`
    state : dict
        What the optimizer remembers; changed in place.
    rate : callable
        ``rate(t, t_epoch)`` is the learning rate after `t` samples.
    rng : RandomState or None
        Shuffles each pass; None keeps the rows' order.
    t : int
        Samples seen before.

    Yields
    ------
    loss : float
        Mean over the pass of the minibatches' losses, each at the parameters of its own step. Not
        finite as soon as one of them, or a parameter, is not: the pass ends there.
    learning_rate : float
    """
    while True:
        t_epoch, total, total_mass = t, 0.0, 0.0
        # A diverging run overflows first; the loss tells, so the warnings need not.
        with np.errstate(over="ignore", invalid="ignore"):
            for X, y, weight, mass in minibatches.one_pass(rng):
                learning_rate = rate(t, t_epoch)
                loss = backprop(X, y, weight, mass)
                total += mass * loss
                total_mass += mass
                if not isfinite(loss):
                    break
                optimizer.step(backprop.params, backprop.grad, learning_rate, state)
                t += X.shape[0]
        t = t_epoch + minibatches.n
        finite = isfinite(total) and np.isfinite(backprop.params).all()
        yield (total / total_mass if finite else inf), learning_rate


class Patience:
    """Counts the epochs in a row without an improvement of `tol`.

    Parameters
    ----------
    tol : float
    n_iter_no_change : int or inf
    """

    def __init__(self, tol, n_iter_no_change):
        self.tol, self.limit = tol, n_iter_no_change
        self.best, self.count = inf, 0

    def exhausted(self, loss):
        """Take note of an epoch's loss (smaller is better); tell whether patience is at its end."""
        self.count = self.count + 1 if loss > self.best - self.tol else 0
        self.best = min(self.best, loss)
        return self.count >= self.limit
