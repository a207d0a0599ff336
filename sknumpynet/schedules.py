"""Schedules: the factor on the learning rate as a function of the samples seen.

A schedule is built once per call of ``fit`` or ``partial_fit`` and is then a function
``factor(t, t_epoch)``: ``t`` samples were seen before this step, ``t_epoch`` of them before this
pass over the data began. With ``u`` the part of the call's budget of max_iter epochs that is used
up, from 0 to 1:

==========  ==========================================================================
name        factor
==========  ==========================================================================
constant    1
invscaling  1 / (1 + t_epoch)^power_t, so the first pass has factor 1
linear      1 - u
cosine      (1 + cos(pi u)) / 2 [1]_
one_cycle   up in a straight line from 0.04 to 1 until u = 0.1, then down to 0 along a
            cosine [2]_
==========  ==========================================================================

Where the end is not known, as in ``partial_fit``, the last three are 1.

To add one: write the function and name it in `SCHEDULES`; the tests find it there.

References
----------
.. [1] Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017.
.. [2] After Smith and Topin, "Super-Convergence", arXiv:1708.07120.
"""

from math import cos, pi

WARM_UP = 0.1
COLD = 0.04


def constant(power_t, start, budget):
    """Return the factor 1, always."""
    return lambda t, t_epoch: 1.0


def invscaling(power_t, start, budget):
    """Return a factor that falls with a power of the samples seen, from epoch to epoch."""
    return lambda t, t_epoch: (1 + t_epoch) ** -power_t


def linear(power_t, start, budget):
    """Return a factor that falls in a straight line."""
    return lambda t, t_epoch: 1 - (t - start) / budget


def cosine(power_t, start, budget):
    """Return a factor that falls along half a cosine."""
    return lambda t, t_epoch: 0.5 + 0.5 * cos(pi * (t - start) / budget)


def one_cycle(power_t, start, budget):
    """Return a factor that warms up and then falls along half a cosine."""

    def factor(t, t_epoch):
        u = (t - start) / budget
        if u < WARM_UP:
            return COLD + (1 - COLD) * u / WARM_UP
        return 0.5 + 0.5 * cos(pi * (u - WARM_UP) / (1 - WARM_UP))

    return factor


SCHEDULES = {
    "constant": constant,
    "invscaling": invscaling,
    "linear": linear,
    "cosine": cosine,
    "one_cycle": one_cycle,
}
# Those that reach zero when the budget is used up, and need to know it.
BUDGETED = {"linear", "cosine", "one_cycle"}
