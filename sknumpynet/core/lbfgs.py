"""L-BFGS [1]_: SciPy's minimiser on the flat parameter vector, with the loss of all rows.

References
----------
.. [1] Liu and Nocedal, "On the limited memory BFGS method for large scale optimization",
   Mathematical Programming 45, 1989.
"""

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np
from scipy import optimize

from sknumpynet.core.arrays import add_multiple
from sknumpynet.core.training import TrainingRun
from sknumpynet.core.types import Floats


class DeadlineError(Exception):
    """Ends the minimisation within an iteration."""


class Objective:
    """The loss of all rows as a function of the parameters, and what follows an iteration.

    Parameters
    ----------
    run, after_iteration
        As of `fit_lbfgs`.

    Attributes
    ----------
    optimum : ndarray
        Parameters after the last iteration; before there is one, the best that were tried.
    best_loss : float
        The smallest loss that was found before there was an iteration.
    reason : str or None
        Why to stop, as ``after_iteration`` returned it.
    """

    def __init__(
        self, run: TrainingRun, after_iteration: Callable[[str | None], str | None]
    ) -> None:
        self.run, self.after_iteration = run, after_iteration
        self.alpha, run.backprop.alpha = run.backprop.alpha, 0.0  # it counts once, not per batch
        self.optimum, self.best_loss, self.reason = run.state.params.copy(), inf, None

    def value_and_grad(self, x: Floats) -> tuple[float, Floats]:
        """Return the loss and its gradient."""
        run, n = self.run, self.run.minibatches.n
        np.copyto(run.state.params, x)
        W = x[: run.backprop.n_weights]
        loss, grad = 0.5 * self.alpha / n * float(W @ W), np.zeros_like(x)
        grad[: len(W)] = self.alpha / n * W
        for batch in run.minibatches.epoch():
            if self.best_loss < inf and run.budget.is_over():
                raise DeadlineError
            part = batch.X.shape[0] / n
            loss += part * run.backprop(batch)
            add_multiple(grad, part, run.backprop.grad)
        if run.state.n_iter == 0 and loss < self.best_loss:  # time may be over before an iteration
            self.best_loss = loss
            np.copyto(self.optimum, x)
        return loss, grad

    def end_iteration(self, x: Floats, loss: float) -> None:
        """Record an iteration."""
        run = self.run
        np.copyto(run.state.params, x)
        np.copyto(self.optimum, x)
        run.state.samples_seen += run.minibatches.n
        self.reason = self.after_iteration(run.end_epoch(float(loss)))

    def callback(self, intermediate_result: Any) -> None:
        """Record an iteration, and tell SciPy whether to stop."""
        self.end_iteration(intermediate_result.x, intermediate_result.fun)
        if self.reason:
            raise StopIteration


@np.errstate(all="ignore")
def fit_lbfgs(run: TrainingRun, after_iteration: Callable[[str | None], str | None]) -> str | None:
    """Train until convergence; return why it ended, or None at the end of max_iter or max_fun.

    Parameters
    ----------
    run : TrainingRun
        An iteration counts as an epoch.
    after_iteration : callable
        ``after_iteration(reason)`` is called after each iteration, with why to stop or None. It
        returns that reason, or another one.
    """
    state, config = run.state, run.config
    state.optimizer, objective = {}, Objective(run, after_iteration)
    limits = {"maxiter": config.max_iter, "maxfun": config.max_fun, "gtol": config.tol}
    try:
        result = optimize.minimize(
            objective.value_and_grad,
            state.params.copy(),
            method="L-BFGS-B",
            jac=True,
            callback=objective.callback,
            options=limits,
        )
    except DeadlineError:
        if state.n_iter == 0:
            objective.end_iteration(objective.optimum, objective.best_loss)
        np.copyto(state.params, objective.optimum)
        return "max_time is over"
    if state.n_iter == 0:  # the start is a minimum
        objective.end_iteration(result.x, result.fun)
    np.copyto(state.params, objective.optimum)
    return objective.reason or ("converged" if result.status not in (1, 2) else None)
