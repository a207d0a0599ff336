"""Schedules: the factor on the learning rate, as a function of the training's progress.

A schedule is a function ``factor(u, t, power_t)`` of

- ``u``, the progress from 0 to 1: the fraction of the epochs that are done, or of the time limit
  that is used up, whichever is larger;
- ``t``, the samples seen before the current epoch;
- ``power_t``, a hyper-parameter.

==========  ==========================================================================
name        factor
==========  ==========================================================================
constant    1
invscaling  1 / (1 + t)^power_t, so the first epoch has the factor 1
linear      1 - u
cosine      (1 + cos(pi u)) / 2 [1]_
one_cycle   rises linearly from 0.04 to 1 until u = 0.1, then falls to 0 along half a
            cosine [2]_
==========  ==========================================================================

The schedules in `ANNEALING` end at 0 and need to know the end of training. `partial_fit`, which
has no end, uses 'constant' instead.

To add a schedule, write the function and name it in `SCHEDULES`; the tests find it there.

References
----------
.. [1] Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017.
.. [2] After Smith and Topin, "Super-Convergence", arXiv:1708.07120.
"""

from math import cos, pi

WARMUP = 0.1
WARMUP_START = 0.04


def constant(u: float, t: int, power_t: float) -> float:
    """Keep the learning rate."""
    return 1.0


def invscaling(u: float, t: int, power_t: float) -> float:
    """Lower the learning rate from epoch to epoch, by a power of the samples seen."""
    return (1 + t) ** -power_t


def linear(u: float, t: int, power_t: float) -> float:
    """Lower the learning rate in a straight line."""
    return 1 - u


def cosine(u: float, t: int, power_t: float) -> float:
    """Lower the learning rate along half a cosine."""
    return 0.5 + 0.5 * cos(pi * u)


def one_cycle(u: float, t: int, power_t: float) -> float:
    """Warm up, then lower the learning rate along half a cosine."""
    if u < WARMUP:
        return WARMUP_START + (1 - WARMUP_START) * u / WARMUP
    return 0.5 + 0.5 * cos(pi * (u - WARMUP) / (1 - WARMUP))


SCHEDULES = {
    "constant": constant,
    "invscaling": invscaling,
    "linear": linear,
    "cosine": cosine,
    "one_cycle": one_cycle,
}
ANNEALING = {"linear", "cosine", "one_cycle"}
