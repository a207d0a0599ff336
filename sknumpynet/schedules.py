"""Schedules: the factor on the learning rate as a function of the samples seen.

A schedule is built once per call of ``fit`` or ``partial_fit`` and is then a function
``factor(t, t_epoch)``: ``t`` samples were seen before this step, ``t_epoch`` of them before this
pass over the data began.

==========  ==========================================================
name        factor
==========  ==========================================================
constant    1
invscaling  1 / (1 + t_epoch)**power_t, so the first pass has factor 1
==========  ==========================================================

To add one: write the function and name it in `SCHEDULES`; the tests find it there.
"""


def constant(power_t):
    """Return the factor 1, always."""
    return lambda t, t_epoch: 1.0


def invscaling(power_t):
    """Return a factor that falls with a power of the samples seen, from epoch to epoch."""
    return lambda t, t_epoch: (1 + t_epoch) ** -power_t


SCHEDULES = {
    "constant": constant,
    "invscaling": invscaling,
}
