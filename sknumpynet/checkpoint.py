"""Checkpoints: the state of a fit in files, from which a killed run goes on.

A checkpoint is a file as in `storage`. It holds the state in which the training started and the
current one. To go on, `fit` starts from the first one, so that the validation split is the same,
and jumps to the second one in the phase that it belongs to.
"""

import os
import re
from dataclasses import dataclass
from math import inf
from pathlib import Path
from time import perf_counter

from sknumpynet.messages import warn_user
from sknumpynet.parameters import is_int, number
from sknumpynet.storage import digest, last_saved, to_bytes, write


@dataclass(frozen=True)
class Checkpoint:
    """Write the state of a fit to files, from which a killed run goes on.

    Give it to the estimator by ``set_callbacks(Checkpoint(path))``. If `fit` is interrupted, even
    by a power failure, run the same program again: `fit` finds the last checkpoint, goes on from
    there, and ends with the same bits as a run that was never interrupted, unless there is a
    `max_time`. A run that is complete is not trained again. The directory belongs to one run: if
    the data, the parameters or the version of the package are not those of the checkpoint, `fit`
    raises an error.

    Parameters
    ----------
    path : path-like
        Directory of the checkpoints; it is created if need be.
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

    path: os.PathLike
    every_epochs: int | None = None
    every_seconds: float | None = 60.0
    keep: int = 2

    def __post_init__(self):
        is_number, interval = number(0, open_low=True)
        accepted = {
            "every_epochs": (lambda value: is_int(value, 1), "an int >= 1"),
            "every_seconds": (is_number, interval),
            "keep": (lambda value: is_int(value, 1), "an int >= 1"),
        }
        for name, (test, words) in accepted.items():
            value = getattr(self, name)
            if not test(value) and (value is not None or name == "keep"):
                raise ValueError(f"{name}={value!r} is not accepted: {name} must be {words}.")

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


class CheckpointedFit:
    """The checkpoints of one call of `fit`.

    Parameters
    ----------
    checkpoint : Checkpoint
    identity : dict
        As `identity_of` returns it.
    state : TrainingState
        In which the training starts. It becomes the one of the last checkpoint, if there is one.

    Attributes
    ----------
    saved : dict or None
        The last checkpoint.

    Raises
    ------
    ValueError
        If the directory has checkpoints of another run, or only damaged ones.
    """

    def __init__(self, checkpoint, identity, state):
        self.checkpoint, self.directory = checkpoint, Path(checkpoint.path)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.n_epochs, self.written = 0, perf_counter()
        self.saved = last_saved(self.directory)
        if self.saved is not None:
            check_identity(self.directory, self.saved["identity"], identity)
            state.restore(self.saved["start"])
        self.same = {"identity": identity, "start": state.snapshot()}

    def resume(self, state):
        """Jump to the last checkpoint if it is of this phase; return whether it is."""
        is_here = self.saved is not None and self.saved["state"]["phase"] == state.phase
        if is_here:
            state.restore(self.saved["state"])
        return is_here

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
        now = {"state": state.snapshot(), "config": vars(run.config)}
        content = to_bytes({**self.same, **now, "reason": reason, "stopped": stopped})
        try:
            write(self.directory, len(state.history["epoch"]), content, self.checkpoint.keep)
        except OSError as error:
            warn_user(f"No checkpoint could be written, and training goes on: {error}")
        self.n_epochs, self.written = 0, perf_counter()


def identity_of(view, config, state, data, validation):
    """Return what has to be the same when a run goes on, as strings.

    Parameters
    ----------
    view : NumpyMLPClassifier
        With the parameters, and the attributes that the data determine.
    config : TrainingConfig
    state : TrainingState
        In which the training starts.
    data : Data
    validation : Data or None
    """
    settings = {**vars(config), "scoring": view.scoring, "classes": view.classes_.tolist()}
    arrays = {"X": data.X, "y": data.codes, "sample_weight or class_weight": data.weight}
    if validation is not None:
        arrays |= {"X_val": validation.X, "y_val": validation.codes}
        arrays |= {"sample_weight_val": validation.weight}
    # Without a seed the start is random, and the one of the checkpoint counts.
    if view.random_state is not None or state.samples_seen:
        arrays["random_state or the network to be trained further"] = state.params
    return {
        "sknumpynet": view.__getstate__()["_version"],
        # Without the addresses of functions, which change from process to process.
        **{name: re.sub(" at 0x[0-9a-f]+", "", repr(value)) for name, value in settings.items()},
        **{name: digest(array) for name, array in arrays.items() if array is not None},
    }


def check_identity(directory, saved, identity):
    """Raise if a checkpoint is one of another run."""
    names = [name for name in {**saved, **identity} if saved.get(name) != identity.get(name)]
    if names:
        differences = ", ".join(
            f"{name} (now {identity.get(name)}, in the checkpoint {saved.get(name)})"
            for name in names
        )
        raise ValueError(
            f"{directory} has checkpoints of another run, which differs in {differences}. Restore "
            "what differs to go on with that run, or give Checkpoint another path."
        )
