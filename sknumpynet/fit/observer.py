"""What observes a fit: scikit-learn's callbacks, `verbose`, and the last epoch to fall back to."""

from math import isnan

from sknumpynet.checkpoint import Checkpoint
from sknumpynet.core import clock
from sknumpynet.core.state import PILOT_RUNS
from sknumpynet.fit.callbacks import SUPPORTED
from sknumpynet.fit.checkpoints import open_checkpoints
from sknumpynet.fit.identity import identity_of

# Progress within an epoch is printed this many seconds after the last line at the earliest.
SECONDS_BETWEEN_LINES = 1.0


class FitObserver:
    """Observes a call of `fit` or `partial_fit`.

    Parameters
    ----------
    estimator : estimator
    max_iter : int
        The largest number of epochs.
    fitted_attributes, data : callable, dict
        For callbacks, if there are any: ``fitted_attributes(snapshot)`` returns what makes the
        estimator ready to predict; ``X``, ``y`` and ``metadata``.

    Attributes
    ----------
    last : dict or None
        The snapshot to fall back to: the last epoch or, if epochs are compared, the best one.
    stopped : str or None
        That a callback asked to stop.
    """

    def __init__(self, estimator, max_iter, fitted_attributes=None, data=None):
        self.estimator, self.max_iter = estimator, max_iter
        self.fitted_attributes, self.data = fitted_attributes, data
        self.last, self.stopped, self.printed = None, None, clock.now()
        self.context = self.epoch = self.checkpoints = None
        if SUPPORTED and data is not None:
            self.context = estimator._init_callback_context(max_subtasks=max_iter)
            self.context.call_on_fit_task_begin(estimator=estimator, **data)

    def find_checkpoint(self, view, config, state, data, validation):
        """Return the checkpoint to go on from, or None; the state is reset to the start of its run.

        Raises
        ------
        ValueError
            If the fit cannot go on from the checkpoint that there is.
        """
        found = [
            callback
            for callback in getattr(self.estimator, "_skl_callbacks", [])
            if isinstance(callback, Checkpoint)
        ]
        if not found:
            return None
        if len(found) > 1 or config.solver == "lbfgs":
            raise ValueError(
                f"{found} is not accepted with solver={config.solver!r}: 'adam' and 'sgd' support "
                "one Checkpoint, and 'lbfgs' none."
            )
        identity = identity_of(view, config, state, data, validation)
        self.checkpoints = open_checkpoints(*found, identity, state)
        return self.checkpoints.saved

    def resume(self, state):
        """Jump to the checkpoint if it is of this phase; return why the phase had ended."""
        saved = None if self.checkpoints is None else self.checkpoints.resume(state)
        if saved is None:
            return None
        self.stopped = saved["stopped"]
        self.say(f"Going on after epoch {len(state.history['epoch'])}.")
        return saved["reason"]

    def begin_epoch(self, run):
        """Tell the callbacks that an epoch begins."""
        if self.context is not None and run.state.phase_epochs < run.config.max_iter:
            n_parts = 0 if run.config.solver == "lbfgs" else run.n_parts
            self.epoch = self.context.subcontext(task_name="epoch", max_subtasks=n_parts)
            self.epoch.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def report(self, fraction):
        """Show the progress within a long epoch."""
        if self.epoch is not None:
            part = self.epoch.subcontext(task_name="part")
            part.call_on_fit_task_begin(estimator=self.estimator, **self.data)
            part.call_on_fit_task_end(estimator=self.estimator, **self.data)
        if clock.now() > self.printed + SECONDS_BETWEEN_LINES:
            self.say(f"{fraction:.0%} of the next epoch")

    def end_epoch(self, run, reason):
        """Keep and show an epoch; return the reason, or a callback's reason to stop."""
        state = run.state
        self.last = state.snapshot(state.best or state.weights(self.estimator.warm_start))
        self.show(state)
        if self.epoch is not None and self.end_task(self.epoch):
            reason = self.stopped = "A callback asked to stop"
        if self.checkpoints is not None:
            self.checkpoints.end_epoch(run, reason, self.stopped)
        if reason:
            self.say(f"{reason}. Stopping.")
        else:
            self.begin_epoch(run)
        return reason

    def end(self, state):
        """Keep the final state, which is not copied."""
        self.last = state.snapshot({"params": state.params, "optimizer": state.optimizer})
        if self.context is not None:
            self.end_task(self.context)

    def end_task(self, context):
        """Tell the callbacks that an epoch or the fit ends; return whether one asks to stop."""
        return context.call_on_fit_task_end(
            estimator=self.estimator,
            **self.data,
            reconstruction_attributes=lambda: self.fitted_attributes(self.last),
        )

    def show(self, state):
        """Show the last epoch."""
        if self.estimator.verbose:
            self.say(describe(state, self.max_iter))

    def say(self, line):
        """Print a line if `verbose`."""
        if self.estimator.verbose:
            print(line)
            self.printed = clock.now()


def describe(state, max_iter):
    """Return the line that `verbose` prints after an epoch."""
    row = {column: values[-1] for column, values in state.history.items()}
    phase = f" ({row['phase']} run)" if row["phase"] in PILOT_RUNS else ""
    line = f"Iteration {state.n_iter} of {max_iter}{phase}, loss = {row['loss']:.8f}"
    if not isnan(row["validation_loss"]):
        line += f", validation loss = {row['validation_loss']:.6f}"
        line += f", score = {row['validation_score']:.6f}"
    return f"{line}, {row['seconds']:.2f} s"
