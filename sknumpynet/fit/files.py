"""Files that are written whole or not at all, and are data only.

A file is an npz archive of arrays. One of them is a JSON text, which holds everything else and
refers to the other arrays by name. No code runs when a file is loaded. Its name ends in a hash of
its content, which shows whether it is damaged.
"""

import json
import os
import re
from dataclasses import fields
from hashlib import blake2b
from io import BytesIO
from math import inf

import numpy as np

from sknumpynet.core.config import TrainingConfig
from sknumpynet.core.state import HISTORY, TrainingState
from sknumpynet.fit.advice import warn_user

# What a checkpoint holds of an epoch.
RECORD = {"state", "reason", "stopped"}
NAME = re.compile(r"epoch-(\d+)-([0-9a-f]{16})\.npz")


def last_saved(directory, identity=None):
    """Return the content of the last checkpoint that is not damaged; None if there is none.

    If an identity is given, a checkpoint of another one may be in the form of another version.
    """
    paths = list_checkpoints(directory)
    for path in reversed(paths):
        saved = checkpoint_in(path, identity)
        if saved is not None:
            return saved
        warn_user(f"{path} is damaged and therefore ignored.")
    if paths:
        raise ValueError(
            f"All checkpoints in {directory} are damaged. Give Checkpoint another path to start "
            "anew."
        )
    return None


def checkpoint_in(path, identity):
    """Return the content of a checkpoint; None if it is damaged, or is no checkpoint at all."""
    content = path.read_bytes()
    if hash_of(content) != NAME.fullmatch(path.name)[2]:
        return None
    try:
        saved = from_bytes(content)
        return saved if is_checkpoint(saved, identity) else None
    except MemoryError:
        raise
    except Exception:  # a file of another program may raise anything
        return None


def is_checkpoint(saved, identity):
    """Tell whether this is the content of a checkpoint; an exception also says no."""
    if not all(isinstance(part, str) for item in saved["identity"].items() for part in item):
        return False
    if identity is not None and saved["identity"] != identity:
        return True
    TrainingConfig.from_values(saved["config"])
    record = {name: saved[name] for name in RECORD}
    return (
        saved.keys() == {"identity", "start", "config", "pilot", *RECORD}
        and is_snapshot(saved["start"])
        and is_record(record, saved["start"])
        and (saved["pilot"] is None or is_record(saved["pilot"], saved["start"]))
    )


def is_record(record, start):
    """Tell whether this is the record of an epoch of a training; an exception also says no."""
    state = record["state"]
    has_its_size = state["params"].shape == start["params"].shape
    return (
        record.keys() == RECORD
        and all(isinstance(record[name], str | None) for name in ("reason", "stopped"))
        and is_snapshot(state)
        and (has_its_size if state["basis"] is None else is_basis(state["basis"]))
    )


def is_basis(basis):
    """Tell whether these are the shift and the components of a `Basis`."""
    shift, components = basis
    return shift.shape == components.shape[1:] and components.ndim == 2


def is_snapshot(snapshot):
    """Tell whether this is a snapshot of a `TrainingState`; an exception also says no."""
    state = TrainingState.from_snapshot(snapshot)
    params = [state.params] if state.best is None else [state.params, state.best["params"]]
    return (
        snapshot.keys() == state.snapshot().keys()
        and all(isinstance(getattr(state, f.name), f.type) for f in fields(state))
        and state.history.keys() == set(HISTORY)
        and len({len(column) for column in state.history.values()}) == 1
        and 0 < state.temperature < inf
        and all(p.shape == (state.params.size,) and np.isfinite(p).all() for p in params)
        and all(np.shape(v) in ((), state.params.shape) for v in state.optimizer.values())
    )


def list_checkpoints(directory):
    """Return the paths of the checkpoints in a directory, the last one at the end."""
    return sorted(filter(lambda path: NAME.fullmatch(path.name), directory.iterdir()), key=epoch_of)


def epoch_of(path):
    """Return the number of epochs in a checkpoint's name."""
    return int(NAME.fullmatch(path.name)[1])


def write(directory, epoch, content, keep):
    """Write a checkpoint, whole or not at all, even if the power fails; delete older ones."""
    path = directory / f"epoch-{epoch}-{hash_of(content)}.npz"
    temporary = path.with_suffix(".tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        for leftover in directory.glob("epoch-*.tmp"):
            if NAME.fullmatch(leftover.with_suffix(".npz").name):
                leftover.unlink(missing_ok=True)
    if hasattr(os, "O_DIRECTORY"):  # the directory has the file's name
        descriptor = os.open(directory, os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    checkpoints = list_checkpoints(directory)
    older = [other for other in checkpoints if epoch_of(other) < epoch]
    for other in set(checkpoints) - {path, *older[::-1][: keep - 1]}:
        other.unlink()


def hash_of(content):
    """Return the hash in a checkpoint's name."""
    return blake2b(content, digest_size=8).hexdigest()


def to_bytes(content):
    """Return dicts, lists, scalars and arrays as the bytes of an npz file."""
    arrays = {}

    def refer(array):
        name = f"array_{len(arrays)}"
        arrays[name] = array
        return {"array": name}

    text = json.dumps(content, default=refer)
    file = BytesIO()
    np.savez(file, json=np.frombuffer(text.encode(), np.uint8), **arrays)
    return file.getvalue()


def from_bytes(content):
    """Return what `to_bytes` has stored."""
    with np.load(BytesIO(content), allow_pickle=False) as file:

        def resolve(item):
            return file[item["array"]] if item.keys() == {"array"} else item

        return json.loads(file["json"].tobytes(), object_hook=resolve)
