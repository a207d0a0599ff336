"""Files that are written whole or not at all, and are data only.

A file is an npz archive of arrays. One of them is a JSON text, which holds everything else and
refers to the other arrays by name. No code runs when a file is loaded. Its name ends in a hash of
its content, which shows whether it is damaged.
"""

import json
import os
import re
from hashlib import blake2b
from io import BytesIO

import numpy as np
from scipy.sparse import issparse

from sknumpynet.messages import warn_user

# Numbers of an array that are hashed at a time.
BLOCK = 2**20
NAME = re.compile(r"epoch-(\d+)-([0-9a-f]{16})\.npz")


def last_saved(directory):
    """Return the content of the last checkpoint that is not damaged; None if there is none."""
    paths = list_checkpoints(directory)
    for path in reversed(paths):
        content = path.read_bytes()
        if hash_of(content) == NAME.fullmatch(path.name)[2]:
            return from_bytes(content)
        warn_user(f"{path} is damaged and therefore ignored.")
    if paths:
        raise ValueError(
            f"All checkpoints in {directory} are damaged. Give Checkpoint another path to start "
            "anew."
        )
    return None


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


def digest(array):
    """Return a hash of an array or CSR matrix, whatever its layout in memory."""
    parts = [array.indptr, array.indices, array.data] if issparse(array) else [array]
    result = blake2b(digest_size=8)
    for part in parts:
        result.update(f"{part.dtype.str} {part.shape}".encode())
        n_rows = max(1, BLOCK * len(part) // max(part.size, 1))
        for start in range(0, len(part), n_rows):
            result.update(part[start : start + n_rows].tobytes())
    return f"<{result.hexdigest()}>"


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
