"""L-BFGS [1]_: SciPy's minimiser on the flat parameter vector, with all rows in one batch.

References
----------
.. [1] Liu and Nocedal, "On the limited memory BFGS method for large scale optimization",
   Mathematical Programming 45, 1989.
"""

import numpy as np
from scipy import optimize


class DeadlineError(Exception):
    """Ends the minimisation within an iteration."""


def fit_lbfgs(run, after_iteration):
    """Train until convergence; return why it ended, or None at the end of max_iter or max_fun.

    Parameters
    ----------
    run : TrainingRun
        An iteration counts as an epoch.
    after_iteration : callable
        ``after_iteration(reason)`` is called after each iteration, with why to stop or None. It
        returns the same, or a reason of its own.
    """
    backprop, state, config = run.backprop, run.state, run.config
    params, optimum = state.params, state.params.copy()
    batch = next(run.minibatches.epoch())
    state.optimizer, reason = {}, None

    def end_iteration(x, loss):
        nonlocal reason
        np.copyto(params, x)
        np.copyto(optimum, x)
        state.samples_seen += run.minibatches.n
        reason = after_iteration(run.end_epoch(float(loss)))

    def value_and_grad(x):
        if state.n_iter and run.budget.is_over():
            raise DeadlineError
        np.copyto(params, x)
        return backprop(batch), backprop.grad.copy()  # a copy, because SciPy keeps the reference

    def callback(intermediate_result):
        end_iteration(intermediate_result.x, intermediate_result.fun)
        if reason:
            raise StopIteration

    limits = {"maxiter": config.max_iter, "maxfun": config.max_fun, "gtol": config.tol}
    how = {"method": "L-BFGS-B", "jac": True, "callback": callback, "options": limits}
    with np.errstate(over="ignore", invalid="ignore"):
        try:
            result = optimize.minimize(value_and_grad, optimum.copy(), **how)
        except DeadlineError:
            np.copyto(params, optimum)
            return "max_time is over"
        if state.n_iter == 0:  # the start is a minimum
            end_iteration(result.x, result.fun)
    np.copyto(params, optimum)
    return reason or ("converged" if result.status not in (1, 2) else None)
