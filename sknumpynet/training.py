"""Training: an endless generator of epochs, L-BFGS, and what looks at the loss: patience.

`epochs` knows neither which optimizer it steps nor why it will be stopped: ``fit`` takes the first
``max_iter`` of it, ``partial_fit`` takes the next one.
"""

from math import inf, isfinite

import numpy as np
from scipy import optimize


def epochs(backprop, minibatches, step, rate, rng, t=0):
    """Train one pass after another; yield each pass's mean loss and its last learning rate.

    Parameters
    ----------
    backprop : Backprop
        Holds the parameters; they change in place.
    minibatches : Minibatches
    step : callable
        ``step(learning_rate)`` moves the parameters against the gradient in `backprop`.
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
        t_epoch, total = t, 0.0
        # A diverging run overflows first; the loss tells, so the warnings need not.
        with np.errstate(over="ignore", invalid="ignore"):
            for X, y, weight, mass, keys in minibatches.one_pass(rng):
                learning_rate = rate(t, t_epoch)
                loss = backprop(X, y, weight, mass, keys)
                total += mass * loss
                if not isfinite(loss):
                    break
                step(learning_rate)
                t += X.shape[0]
        t = t_epoch + minibatches.n
        finite = isfinite(total) and np.isfinite(backprop.params).all()
        yield (total / minibatches.mass if finite else inf), learning_rate


def stepper(optimizer, state, backprop, weight_decay=0.0, first_layer_factor=1.0):
    """Return ``step(learning_rate)``: the optimizer's step, after decoupled weight decay [1]_.

    The weights, not the biases, shrink by the factor 1 - learning_rate * weight_decay. Those of the
    first layer then go `first_layer_factor` times as far as the optimizer takes them.

    References
    ----------
    .. [1] Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.
    """
    params, grad = backprop.params, backprop.grad
    weights, first = params[: backprop.n_weights], backprop.weights[0]
    extra = first_layer_factor - 1
    moved = np.empty_like(first) if extra else None

    def step(learning_rate):
        if weight_decay > 0:
            weights[:] *= 1 - learning_rate * weight_decay
        if extra:
            np.copyto(moved, first)
        optimizer.step(params, grad, learning_rate, state)
        if extra:
            np.subtract(first, moved, out=moved)
            np.multiply(moved, extra, out=moved)
            np.add(first, moved, out=first)

    return step


def minimize(backprop, batch, after, options):
    """Minimise the loss of one batch by SciPy's L-BFGS [1]_, on the flat vector as it is.

    Parameters
    ----------
    backprop : Backprop
        Its parameters follow each iteration, and end at the minimum.
    batch : tuple
        As `Minibatches` makes it.
    after : callable
        ``after(loss)`` is called after each iteration; True ends the descent.
    options : dict
        Of `scipy.optimize.minimize` with method "L-BFGS-B".

    Returns
    -------
    done : bool
        Whether it has converged, or was told to end.

    References
    ----------
    .. [1] Liu and Nocedal, "On the limited memory BFGS method for large scale optimization",
       Mathematical Programming 45, 1989.
    """
    params, calls = backprop.params, 0

    def value_and_grad(x):
        np.copyto(params, x)
        # A copy, for SciPy keeps the reference.
        return backprop(*batch), backprop.grad.copy()

    def callback(intermediate_result):
        nonlocal calls
        calls += 1
        np.copyto(params, intermediate_result.x)
        if after(float(intermediate_result.fun)):
            raise StopIteration

    with np.errstate(over="ignore", invalid="ignore"):
        result = optimize.minimize(
            value_and_grad,
            params.copy(),
            jac=True,
            method="L-BFGS-B",
            callback=callback,
            options=options,
        )
        if calls == 0:  # nothing left to gain: the start is the minimum
            np.copyto(params, result.x)
            after(float(result.fun))
    return result.status not in (1, 2)


class Rate:
    """The learning rate: a start, times a schedule, times what was taken off on the way.

    Parameters
    ----------
    start : float
    factor : callable
        ``factor(t, t_epoch)``, of `sknumpynet.schedules`.
    adaptive : bool
        Whether `lower` has an effect.
    """

    def __init__(self, start, factor, adaptive=False):
        self.scale, self.factor, self.adaptive = start, factor, adaptive

    def __call__(self, t, t_epoch):
        return self.scale * self.factor(t, t_epoch)

    def lower(self):
        """Divide by 5, as scikit-learn's 'adaptive'; tell whether there was anything to divide."""
        if not self.adaptive or self.scale <= 1e-6:
            return False
        self.scale /= 5
        return True


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
        """Take note of an epoch's loss (smaller is better); tell whether patience is at its end.

        A loss that is not a number is no improvement.
        """
        self.count = 0 if loss <= self.best - self.tol else self.count + 1
        self.best = loss if loss < self.best else self.best
        return self.count >= self.limit
