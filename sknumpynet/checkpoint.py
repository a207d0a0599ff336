"""Checkpoints: the state of a fit in files, from which a killed run goes on.

A checkpoint is a file as in `storage`. It holds the state in which the training started and the
current one. To go on, `fit` starts from the first one, so that the validation split is the same,
and jumps to the second one in the phase that it belongs to. In a second pilot run it also holds the
end of the first one, with which the second is compared.
"""

import os
from dataclasses import dataclass
from math import inf
from pathlib import Path
from time import perf_counter

from sknumpynet.identity import check_identity
from sknumpynet.messages import warn_user
from sknumpynet.parameters import is_int, number
from sknumpynet.storage import last_saved, to_bytes, write


@dataclass(frozen=True)
class Checkpoint:
    """Write the state of a fit to files, from which a killed run goes on.

    Give it to the estimator by ``set_callbacks(Checkpoint(path))``. If `fit` is interrupted, even
    by a power failure, run the same program again: `fit` finds the last checkpoint, goes on from
    there, and ends with the same bits as a run that was never interrupted, unless there is a
    `max_time`. A run that is complete is not trained again. The directory belongs to one run: if
    the data, the parameters or the version of the package are not those of the checkpoint, `fit`
    raises an error. A callable `scoring` counts as the same if its code, constants, default values
    and enclosed variables are equal; functions that it calls are not compared.

    Parameters
    ----------
    path : path-like
        Directory of the checkpoints; it is created if need be. A relative path is relative to the
        current directory at this time, not at that of `fit`.
    every_epochs : int or None, default=None
        Write a checkpoint after this many epochs.
    every_seconds : float or None, default=60.0
        Write a checkpoint at the end of an epoch if the last one is this many seconds old. There is
        also one at the end of the pilot run, and of the training.
    keep : int, default=2
        Number of checkpoints to keep: the last ones. If the last one is damaged, `fit` warns and
        goes on from the one before.

    Raises
    ------
    ValueError
        If a value is not accepted.

    Notes
    -----
    If a checkpoint cannot be written, for instance because the disk is full, `fit` warns and
    goes on. Older checkpoints stay.

    ``solver='lbfgs'`` is not supported, because SciPy does not give access to its state. Neither is
    `partial_fit`, between whose calls a model can be saved like any other object.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import load_iris
    >>> from sknumpynet import Checkpoint, NumpyMLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> with TemporaryDirectory() as path:
    ...     model = NumpyMLPClassifier(random_state=0).set_callbacks(Checkpoint(path))
    ...     n_epochs = model.fit(X, y).n_iter_
    ...     n_epochs == model.fit(X, y).n_iter_  # the second call only reads the checkpoint
    True
    """

    path: str | os.PathLike
    every_epochs: int | None = None
    every_seconds: float | None = 60.0
    keep: int = 2

    def __post_init__(self):
        is_number, interval = number(0, open_low=True)
        accepted = {
            "path": (lambda value: isinstance(value, str | os.PathLike), "a path"),
            "every_epochs": (lambda v: v is None or is_int(v, 1), "an int >= 1 or None"),
            "every_seconds": (lambda v: v is None or is_number(v), f"{interval} or None"),
            "keep": (lambda value: is_int(value, 1), "an int >= 1"),
        }
        for name, (test, words) in accepted.items():
            value = getattr(self, name)
            if not test(value):
                raise ValueError(f"{name}={value!r} is not accepted: {name} must be {words}.")
        object.__setattr__(self, "path", Path(self.path).absolute())

    def setup(self, estimator, context):
        """Raise if the estimator is another one; scikit-learn calls this before a fit."""
        if not any(c.__module__.startswith("sknumpynet.") for c in type(estimator).__mro__):
            raise TypeError(
                f"{type(estimator).__name__} does not support Checkpoint: set it on the "
                "NumpyMLPClassifier itself."
            )

    def teardown(self, estimator, context):
        """Do nothing, as on_fit_task_begin and on_fit_task_end of scikit-learn's protocol."""

    on_fit_task_begin = on_fit_task_end = teardown


def open_checkpoints(checkpoint, identity, state):
    """Return the checkpoints of a call of `fit`, which is a new run or goes on with an old one.

    Parameters
    ----------
    checkpoint : Checkpoint
    identity : dict
        As `identity_of` returns it.
    state : TrainingState
        In which the training starts. To go on, it becomes the one in which the old run started.

    Raises
    ------
    OSError
        If the directory cannot be made or read.
    ValueError
        If the directory has checkpoints of another run, or only damaged ones.
    """
    directory = Path(checkpoint.path)
    directory.mkdir(parents=True, exist_ok=True)
    saved = last_saved(directory, identity)
    if saved is not None:
        check_identity(directory, saved["identity"], identity)
        state.restore(saved["start"])
    return CheckpointedFit(checkpoint, saved, {"identity": identity, "start": state.snapshot()})


class CheckpointedFit:
    """The checkpoints of one call of `fit`.

    Parameters
    ----------
    checkpoint : Checkpoint
    saved : dict or None
        The last checkpoint of an earlier call.
    same : dict
        What is the same in all checkpoints of a run.
    """

    def __init__(self, checkpoint, saved, same):
        self.checkpoint, self.saved, self.same = checkpoint, saved, same
        self.pilot = None if saved is None else saved["pilot"]
        self.n_epochs, self.written = 0, perf_counter()

    def resume(self, state):
        """Jump to the last epoch of this phase that was saved; return its record, or None."""
        for record in (self.saved, self.pilot):
            if record is not None and record["state"]["phase"] == state.phase:
                state.restore(record["state"])
                return record
        return None

    def end_epoch(self, run, reason, stopped):
        """Write a checkpoint if one is due."""
        state, self.n_epochs = run.state, self.n_epochs + 1
        if (
            reason is None
            and state.phase_epochs < run.config.max_iter
            and self.n_epochs < (self.checkpoint.every_epochs or inf)
            and perf_counter() - self.written < (self.checkpoint.every_seconds or inf)
        ):
            return
        record = {"state": state.snapshot(), "reason": reason, "stopped": stopped}
        pilot = self.pilot if state.phase == "second pilot" else None
        content = to_bytes({**self.same, **record, "config": vars(run.config), "pilot": pilot})
        if state.phase == "pilot":
            self.pilot = record
        directory, epoch = Path(self.checkpoint.path), len(state.history["epoch"])
        try:
            write(directory, epoch, content, self.checkpoint.keep)
        except OSError as error:
            warn_user(f"No checkpoint could be written, and training goes on: {error}")
        self.n_epochs, self.written = 0, perf_counter()
