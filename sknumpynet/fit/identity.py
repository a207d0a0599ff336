"""What has to be the same when a run goes on from a checkpoint: settings, data, `scoring`.

Data and callables are compared by hashes, which are the same in every process.
"""

from collections.abc import Iterator
from copyreg import dispatch_table
from functools import partial
from hashlib import blake2b
from types import CodeType, FunctionType, MethodType, ModuleType

import numpy as np
from scipy.sparse import issparse

# Numbers of an array that are hashed at a time.
BLOCK = 2**20
# What a function's code is, apart from its name and its place in a file.
CODE = (
    "co_code",
    "co_consts",
    "co_names",
    "co_varnames",
    "co_argcount",
    "co_posonlyargcount",
    "co_kwonlyargcount",
    "co_flags",
    "co_exceptiontable",
)
PLAIN = type(None), bool, int, float, complex, str, bytes, type(...)


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

    Raises
    ------
    ValueError
        If `scoring` cannot be compared.
    """
    settings = {**vars(config), **data.targets.identity()}
    arrays = {"X": data.X, "y": data.encoded, "sample_weight or class_weight": data.weight}
    if validation is not None:
        arrays |= {"X_val": validation.X, "y_val": validation.encoded}
        arrays |= {"sample_weight_val": validation.weight}
    # Without a seed the start is random, and the one of the checkpoint counts.
    if view.random_state is not None or state.samples_seen:
        arrays["random_state or the network to be trained further"] = state.params
    return {
        "sknumpynet": view.__getstate__()["_version"],
        **{name: repr(value) for name, value in settings.items()},
        "scoring": identity_of_scoring(view.scoring),
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


def identity_of_scoring(scoring):
    """Return the name of a scorer, or a hash of a callable.

    Raises
    ------
    ValueError
        If the callable has a part that cannot be compared in another process.
    """
    if isinstance(scoring, str):
        return repr(scoring)
    try:
        return digest_of_text(describe(scoring))
    except Exception as error:  # the parts may be of any class, and raise anything
        raise ValueError(
            f"scoring={scoring!r} is not accepted with a Checkpoint, which has to tell whether it "
            f"is the same when the run goes on: {error}. Use a function that encloses data only, "
            "and no objects of local classes."
        ) from error


def digest(array):
    """Return a hash of an array or CSR matrix, whatever its layout in memory."""
    parts = [array.indptr, array.indices, array.data] if issparse(array) else [array]
    result = blake2b(f"{array.shape}".encode(), digest_size=8)
    for part in parts:
        result.update(f"{part.dtype.str} {part.shape}".encode())
        n_rows = max(1, BLOCK * len(part) // max(part.size, 1))
        for start in range(0, len(part), n_rows):
            result.update(part[start : start + n_rows].tobytes())
    return f"<{result.hexdigest()}>"


def digest_of_text(text):
    """Return a hash of a text."""
    return f"<{blake2b(text.encode(), digest_size=8).hexdigest()}>"


def describe(value, outer=()):
    """Return a text that tells a callable, or a part of one, from others in any process.

    A function is described by its code, constants, default values and enclosed variables, a class
    and a module by their names, and any other object by what pickle would store of it.

    Parameters
    ----------
    value : object
    outer : tuple of int
        The ids of the objects that `value` is a part of.
    """
    if type(value) in PLAIN:
        return repr(value)
    if id(value) in outer:
        return f"the object {outer.index(id(value))} levels from the outermost one"
    if isinstance(value, ModuleType):
        return f"module {value.__name__}"
    if isinstance(value, type):
        return name_of(value, value.__qualname__)
    if type(value) is np.ndarray and value.ndim > 0 and not value.dtype.hasobject:
        return digest(value)
    if isinstance(parts := parts_of(value), str):
        return name_of(value, parts)
    texts = map(partial(describe, outer=(*outer, id(value))), parts)
    is_set = isinstance(value, set | frozenset)
    return f"{type(value).__name__}({', '.join(sorted(texts) if is_set else texts)})"


def parts_of(value):
    """Return what determines an object: other objects or, if it is a constant, its name."""
    if type(value) in (tuple, list, set, frozenset):
        return value
    if type(value) is dict:
        return value.items()
    if isinstance(value, CodeType):
        return [getattr(value, name) for name in CODE]
    if isinstance(value, FunctionType):
        enclosed = [cell.cell_contents for cell in value.__closure__ or ()]
        return [value.__code__, value.__defaults__, value.__kwdefaults__, enclosed]
    if isinstance(value, MethodType):
        return [value.__func__, value.__self__]
    reduce = dispatch_table.get(type(value), lambda value: value.__reduce_ex__(4))
    reduced = reduce(value)
    if isinstance(reduced, str):
        return reduced
    call = type(value).__call__ if callable(value) else None
    parts = [list(part) if isinstance(part, Iterator) else part for part in reduced]
    return [call, *parts] if isinstance(call, FunctionType) else parts


def name_of(value, name):
    """Return the full name of a class or constant; raise if others may have the same name."""
    if "<" in name:
        raise ValueError(f"{value!r} has no name in its module")
    return f"{getattr(value, '__module__', None)}.{name}"
