"""The checkpoints of one call of `fit`, which is a new run or goes on with an old one.

A checkpoint is a file as in `files`. It holds the state in which the training started and the
current one. To go on, `fit` starts from the first one, so that the validation split is the same,
and jumps to the second one in the phase that it belongs to. In a second pilot run it also holds the
end of the first one, with which the second is compared.
"""

from math import inf
from pathlib import Path

from sknumpynet.core import clock
from sknumpynet.fit.files import last_saved, to_bytes, write
from sknumpynet.fit.identity import check_identity
from sknumpynet.versioning import warn_user


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
        self.n_epochs, self.written = 0, clock.now()

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
            and clock.now() - self.written < (self.checkpoint.every_seconds or inf)
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
        self.n_epochs, self.written = 0, clock.now()
