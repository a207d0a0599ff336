"""Labels as an array of one type, wherever they arrive: y, y_val, classes, keys of class_weight."""

from numbers import Integral, Real
from reprlib import repr as short

import numpy as np
from scipy.sparse import issparse

ACCEPTED = (
    "Labels must be all strings, all integers of at most 64 bits, all booleans or all whole "
    "floats. Convert them, for instance to strings."
)
# Kinds of NumPy's dtypes that labels may have, dates and durations among them.
KINDS = "biufUmMO"
# Above this, not every whole number is a float64.
LARGEST_WHOLE = 2.0**53


def read_labels(labels, name="y"):
    """Return labels as an array; numbers in an array of objects get a numeric dtype.

    Parameters
    ----------
    labels : array-like or sparse matrix
    name : str, default="y"
        What errors call them.

    Returns
    -------
    labels : ndarray or sparse matrix
        With the dtype object, they are strings.

    Raises
    ------
    ValueError
        If they are not array-like or not of one type, or if some are missing or no whole numbers.
    """
    if issparse(labels):
        check_values(labels.data, name)
        return labels
    try:
        array = np.asarray(labels)
    except ValueError as error:
        raise ValueError(f"{name} is not accepted: {error}") from error
    if array.ndim == 0:
        raise ValueError(
            f"Expected array-like (array or non-string sequence), got {short(labels)} as {name}."
        )
    if isinstance(labels, np.ma.MaskedArray):
        refuse_missing(np.ma.getmaskarray(labels), labels, name)
    if array.dtype.kind == "T":
        array = array.astype(object)
    is_list = not hasattr(labels, "dtype")
    if array.dtype == object:
        array = objects_as_one_type(array, name)
    elif array.dtype.kind in "US" and is_list:  # NumPy has made strings of everything
        objects_as_one_type(np.array(labels, dtype=object), name)
    if array.dtype.kind not in KINDS:
        raise ValueError(f"{name} of dtype {array.dtype} is not accepted. {ACCEPTED}")
    check_values(array, name)
    return array


def objects_as_one_type(objects, name):
    """Return an array of objects as it is if they are strings, else as numbers.

    Raises
    ------
    ValueError
        If labels are missing, or neither all strings nor all numbers.
    """
    refuse_missing(np.frompyfunc(is_missing, 1, 1)(objects).astype(bool), objects, name)
    types = {type(label) for label in objects.flat}
    if all(issubclass(t, str) for t in types):
        return objects
    if all(issubclass(t, Real | np.bool_) for t in types):
        numbers = np.array(objects.tolist())
        are_integers = all(issubclass(t, Integral | np.bool_) for t in types)
        if numbers.dtype.kind in ("biu" if are_integers else "f"):  # not beyond 64 bits
            return numbers
    found = " and ".join(sorted(t.__name__ for t in types))
    raise ValueError(f"{name} has labels of the type {found}. {ACCEPTED}")


def is_missing(value):
    """Tell whether a value is None, NaN, NaT or pandas.NA."""
    if value is None or type(value).__name__ == "NAType":
        return True
    is_unequal = value != value  # as NaN and NaT are to themselves
    return isinstance(is_unequal, bool | np.bool_) and bool(is_unequal)


def check_values(array, name):
    """Raise if labels are missing, infinite or, as floats, not whole."""
    if array.dtype.kind in "mM":
        refuse_missing(np.isnat(array), array, name)
    if array.dtype.kind == "f":
        refuse_missing(np.isnan(array), array, name)
        with np.errstate(over="ignore"):  # float16 does not reach so far
            wrong = (np.abs(array) > LARGEST_WHOLE) | (array != np.rint(array))
        if wrong.any():
            position, value = first(wrong, array)
            raise ValueError(
                f"Unknown label type: continuous. {name} has {value} at position {position}: "
                "floats are labels only if they are whole numbers up to 2**53. To predict numbers, "
                "use a regressor."
            )


def refuse_missing(missing, labels, name):
    """Raise if a mask of missing labels has any."""
    if missing.any():
        position, value = first(missing, labels)
        raise ValueError(
            f"{name} has missing labels: {np.count_nonzero(missing)} of {missing.size}, the first, "
            f"{value}, at position {position}. Leave them out, or give them a label of their own."
        )


def first(mask, labels):
    """Return the row of the first label for which the mask is True, and the label."""
    where = np.unravel_index(np.argmax(mask), mask.shape)
    return int(where[0]), labels[where]
