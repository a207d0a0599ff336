"""What observes a fit: scikit-learn's callbacks, `verbose`, and the last epoch to fall back to.

scikit-learn's callbacks (1.9 and newer) are experimental: all that is used of them is here. On
older versions only a Checkpoint is accepted.
"""

from time import perf_counter

from sknumpynet.checkpoint import Checkpoint, open_checkpoints
from sknumpynet.core.lbfgs import fit_lbfgs
from sknumpynet.core.state import PILOT_RUNS
from sknumpynet.identity import identity_of

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:
    SUPPORTED = False

    class CallbackSupportMixin:
        """Stands in for scikit-learn's mixin."""

        def set_callbacks(self, *callbacks):
            """Set a Checkpoint, or remove it if none is given.

            Parameters
            ----------
            *callbacks : Checkpoint
                scikit-learn 1.9 or newer also accepts other callbacks.

            Returns
            -------
            self : NumpyMLPClassifier
            """
            for callback in callbacks:
                if not isinstance(callback, Checkpoint):
                    raise TypeError(
                        f"{callback!r} is not accepted: before scikit-learn 1.9, which has "
                        "callbacks, it must be a Checkpoint."
                    )
            vars(self).pop("_skl_callbacks", None)
            if callbacks:
                self._skl_callbacks = list(callbacks)
            return self

        def __sklearn_clone__(self):
            other = super().__sklearn_clone__()
            return other.set_callbacks(*getattr(self, "_skl_callbacks", []))

    def with_callbacks(method):
        return method
else:
    SUPPORTED = True

# Progress within an epoch is printed this many seconds after the last line at the earliest.
SECONDS_BETWEEN_LINES = 1.0


class FitObserver:
    """Observes a call of `fit` or `partial_fit`.

    Parameters
    ----------
    estimator : NumpyMLPClassifier
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
        self.last, self.stopped, self.printed = None, None, perf_counter()
        self.context = self.epoch = self.checkpoints = None
        if SUPPORTED and data is not None:
            self.context = estimator._init_callback_context(max_subtasks=max_iter)
            self.context.call_on_fit_task_begin(estimator=estimator, **data)

    def find_checkpoint(self, view, config, state, data, validation):
        """Return the checkpoint to go on from, or None; the state becomes that of its start.

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

    def train(self, run, until=None):
        """Train to the end of a phase; return why it ended, or None at the end of max_iter.

        ``until()`` may return a reason to stop after each epoch.
        """
        run.report = self.report
        self.begin_epoch(run)

        def after_epoch(reason):
            return self.end_epoch(run, reason or (until and until()))

        if run.config.solver == "lbfgs":
            return fit_lbfgs(run, after_epoch)
        return next(filter(None, map(after_epoch, run.epochs())), None)

    def begin_epoch(self, run):
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
        if perf_counter() > self.printed + SECONDS_BETWEEN_LINES:
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
        if self.estimator.verbose:
            print(line)
            self.printed = perf_counter()


def describe(state, max_iter):
    """Return the line that `verbose` prints after an epoch."""
    row = {column: values[-1] for column, values in state.history.items()}
    phase = f" ({row['phase']} run)" if row["phase"] in PILOT_RUNS else ""
    line = f"Iteration {state.n_iter} of {max_iter}{phase}, loss = {row['loss']:.8f}"
    if row["validation_loss"] == row["validation_loss"]:
        line += f", validation loss = {row['validation_loss']:.6f}"
        line += f", score = {row['validation_score']:.6f}"
    return f"{line}, {row['seconds']:.2f} s"
