"""Training: the generator of epochs, and what ends it.

`TrainingRun.epochs` knows neither which optimizer it steps nor who is watching: `fit` takes as many
epochs as it yields, `partial_fit` takes one.
"""

from collections.abc import Callable, Iterator
from math import inf, isfinite, nan
from typing import Any, NoReturn

import numpy as np

from sknumpynet.core import clock
from sknumpynet.core.batches import Minibatches
from sknumpynet.core.clock import Budget
from sknumpynet.core.config import TrainingConfig
from sknumpynet.core.network import Backprop, Network
from sknumpynet.core.optimizers import start_optimizer
from sknumpynet.core.schedules import SCHEDULES
from sknumpynet.core.state import HISTORY, TrainingState
from sknumpynet.core.types import Floats, Integers

# A stronger penalty would overflow in float32.
LARGEST_ALPHA = 1e30
# A long epoch reports its progress every MULTIPLICATIONS, but at most MOST_PARTS times.
MULTIPLICATIONS, MOST_PARTS = 2e10, 100
# 'adaptive' divides the learning rate by 5 until it is this small.
ADAPTIVE_DIVISOR, SMALLEST_RATE = 5, 1e-6
# Above these values a hyper-parameter is named when training diverges.
MAY_DIVERGE = {"alpha": 10, "weight_decay": 10, "input_lr_multiplier": 16}


class TrainingRun:
    """One phase of training: a state, and what it is trained on.

    Parameters
    ----------
    network : Network
    data : object with attributes X, encoded and weight
        See `Minibatches`.
    config : TrainingConfig
    state : TrainingState
        Is updated from epoch to epoch.
    rows : ndarray of int, default=None
        The rows of `data` to train on; None is all of them.
    validate : callable, default=None
        ``validate(params)`` returns the loss and the score of the validation set.
    monitor : {'loss', 'validation_loss', 'validation_score'}, default='loss'
        What patience watches, and by which the best epoch is chosen unless it is 'loss'.

    Attributes
    ----------
    budget : Budget
    report : callable or None
        ``report(fraction)`` is called after each of the `n_parts` of an epoch, except the last.

    Raises
    ------
    ValueError
        If the penalty is too strong for the sample weights.
    """

    report = None

    def __init__(
        self,
        network: Network,
        data: Any,
        config: TrainingConfig,
        state: TrainingState,
        rows: Integers | None = None,
        validate: Callable[[Floats], tuple[float, float]] | None = None,
        monitor: str = "loss",
    ) -> None:
        self.config, self.state = config, state
        self.validate, self.monitor = validate, monitor
        self.minibatches = Minibatches(data, config.batch_size, state.params.dtype, rows)
        if config.alpha >= LARGEST_ALPHA:
            raise ValueError(f"alpha={config.alpha} is not accepted: it must be below 1e30.")
        alpha = config.alpha / self.minibatches.mean_weight
        if alpha >= LARGEST_ALPHA:
            raise ValueError(
                f"sample_weight of mean {self.minibatches.mean_weight:.3g} is not accepted with "
                f"alpha={config.alpha}: the penalty is divided by the weights and becomes too "
                "large. Scale sample_weight to a mean of 1, or lower alpha."
            )
        batch_size, dropout = self.minibatches.batch_size, config.dropout
        self.backprop = Backprop(state.params, network, batch_size, alpha, dropout)
        n_samples = config.max_iter * self.minibatches.n
        self.budget = Budget(state.phase_start, n_samples, batch_size)
        self.lap = clock.now()

    def epochs(self) -> Iterator[str | None]:
        """Train; yield after each epoch why to stop, or None. The state is consistent then.

        Raises
        ------
        ValueError
            If the loss or the parameters stop being finite. The state is not consistent then.
        """
        config, state, backprop = self.config, self.state, self.backprop
        optimizer, state.optimizer = start_optimizer(config, state)
        update = make_update(optimizer, state.optimizer, backprop, config)
        while state.phase_epochs < config.max_iter:
            if backprop.dropout:
                seed = state.rng.randint(2**32, size=4, dtype=np.uint32)
                backprop.bits = np.random.SFC64(seed)
            yield self.end_epoch(*self.one_epoch(update))

    def one_epoch(self, update: Callable[[float], None]) -> tuple[float, float]:
        """Train for one epoch, or up to the deadline; return its mean loss and last learning rate.

        The loss is the mean of the minibatches' losses, each at the parameters of its own step; inf
        if a loss or a parameter is not finite.
        """
        config, state = self.config, self.state
        backprop, budget, n = self.backprop, self.budget, self.minibatches.n
        before, seen = state.samples_seen, 0
        total = 0.0  # the sum of the losses of the samples
        part = 1  # the next part of the epoch to report
        rate, schedule = config.learning_rate_init * state.rate_factor, self.schedule
        n_parts = self.n_parts if self.report else 0
        # A diverging run overflows first. The loss shows it, so warnings are not needed.
        with np.errstate(all="ignore"):
            for batch in self.minibatches.epoch(self.shuffled()):
                progress = budget.progress(before + seen)
                learning_rate = rate * schedule(progress, before, config.power_t)
                loss, n_rows = backprop(batch), batch.X.shape[0]
                if not isfinite(loss):
                    return inf, learning_rate
                update(learning_rate)
                total += n_rows * loss
                seen += n_rows
                if budget.is_over():
                    break
                if part < n_parts and seen * n_parts >= part * n:
                    self.report(part / n_parts)
                    part += 1
            else:
                seen = n  # skipped batches count as rows with a loss of 0
        state.samples_seen = before + seen
        return total / seen if np.isfinite(backprop.params).all() else inf, learning_rate

    def shuffled(self) -> Integers | None:
        """Shuffle the order of the last epoch, as scikit-learn does, and return the new one."""
        n, state = self.minibatches.n, self.state
        if self.config.shuffle and self.minibatches.batch_size < n:
            order = np.arange(n) if state.order is None else state.order
            state.order = order[state.rng.permutation(n)]
        return state.order

    def end_epoch(self, loss: float, learning_rate: float = nan) -> str | None:
        """Record an epoch and evaluate the validation set; return why to stop, or None.

        Raises
        ------
        ValueError
            If the training or validation loss is not finite.
        """
        state = self.state
        validation_loss, score = nan, nan
        if isfinite(loss) and self.validate is not None:
            validation_loss, score = self.validate(state.params)
        if not isfinite(loss) or (self.validate is not None and not isfinite(validation_loss)):
            self.raise_diverged()
        now = clock.now()
        epoch, seconds = len(state.history["epoch"]) + 1, now - self.lap
        measured = loss, learning_rate, seconds, validation_loss, score
        values = state.phase, epoch, *measured, state.samples_seen
        for column, value in zip(HISTORY, values, strict=True):
            state.history[column].append(value)
        state.n_iter += 1
        state.phase_epochs += 1
        self.lap = now
        monitored = {"loss": loss, "validation_loss": validation_loss, "validation_score": -score}
        return self.why_stop(monitored[self.monitor])

    def why_stop(self, monitored: float) -> str | None:
        """Keep the best epoch, count stale ones; return why to stop, or None."""
        config, state = self.config, self.state
        monitored = monitored if isfinite(monitored) else inf  # an undefined score is the worst
        if self.monitor != "loss" and (state.best is None or -monitored > state.best_score):
            state.best, state.best_score = state.weights(), -monitored
        improved = monitored < inf and monitored <= state.best_monitored - config.tol
        state.stale_epochs = 0 if improved else state.stale_epochs + 1
        state.best_monitored = min(monitored, state.best_monitored)
        if state.stale_epochs >= config.n_iter_no_change:
            rate = config.learning_rate_init * state.rate_factor
            if config.learning_rate == "adaptive" and rate > SMALLEST_RATE:
                state.rate_factor /= ADAPTIVE_DIVISOR
                state.stale_epochs = 0
            else:
                what = {"loss": "training loss"}.get(self.monitor, self.monitor.replace("_", " "))
                return (
                    f"The {what} did not improve by tol={config.tol} in {state.stale_epochs} epochs"
                )
        return "max_time is over" if self.budget.is_over() else None

    @property
    def schedule(self) -> Callable[[float, int, float], float]:
        """The schedule of the learning rate; 'adaptive' is constant between its divisions."""
        name = self.config.learning_rate
        return SCHEDULES["constant" if name == "adaptive" else name]

    @property
    def n_parts(self) -> int:
        """In how many parts an epoch reports its progress; 0 if it is short."""
        n, batch_size = self.minibatches.n, self.minibatches.batch_size
        work = 6 * n * (self.backprop.n_weights + 10_000)
        n_parts = min(int(work / MULTIPLICATIONS), MOST_PARTS, n // batch_size)
        return n_parts if n_parts > 1 else 0

    @property
    def largest_product(self) -> int:
        """Multiplications of the largest matrix product of a step."""
        return self.minibatches.batch_size * max(W.size for W in self.backprop.weights)

    def raise_diverged(self) -> NoReturn:
        """Raise the error that names what may have made training diverge."""
        names = [] if self.config.solver == "lbfgs" else ["learning_rate_init"]
        names += [name for name in MAY_DIVERGE if getattr(self.config, name) > MAY_DIVERGE[name]]
        causes = " or ".join(f"{name}={getattr(self.config, name)}" for name in names)
        raise ValueError(
            f"The loss is not finite any more in epoch {len(self.state.history['epoch']) + 1}. "
            f"{f'Lower {causes}, and scale' if names else 'Scale'} X, for instance with "
            "NumericalEncoder."
        )


def make_update(
    optimizer: Any, optimizer_state: dict[str, Any], backprop: Backprop, config: TrainingConfig
) -> Callable[[float], None]:
    """Return ``update(learning_rate)``: decoupled weight decay [1]_, then the optimizer's step.

    The weights, not the biases, shrink by the factor 1 - learning_rate * weight_decay. The step of
    the first layer's weights is multiplied by ``input_lr_multiplier``.

    References
    ----------
    .. [1] Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.
    """
    params, grad, decay = backprop.params, backprop.grad, config.weight_decay
    weights, first = params[: backprop.n_weights], backprop.weights[0]
    extra = config.input_lr_multiplier - 1
    moved = np.empty_like(first) if extra else None

    def update(learning_rate):
        if decay > 0:
            weights[:] *= 1 - learning_rate * decay
        if extra:
            np.copyto(moved, first)
        optimizer.step(params, grad, learning_rate, optimizer_state)
        if extra:
            np.subtract(first, moved, out=moved)
            np.multiply(moved, extra, out=moved)
            np.add(first, moved, out=first)

    return update
