"""X as numbers, for the classifier and for the encoder, whatever container it comes in."""

import re
from datetime import date, time, timedelta
from reprlib import repr as short

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import assert_all_finite, check_array, gen_batches
from sklearn.utils.validation import validate_data

# X keeps any of these dtypes; all else becomes float64.
NUMERIC = [np.float64, np.float32, np.float16, np.bool_]
NUMERIC += [np.dtype(f"{kind}int{bits}") for kind in ("", "u") for bits in (8, 16, 32, 64)]
# Kinds of dtypes that are left to scikit-learn, which refuses complex numbers.
KINDS = "biufc"
# How the names of the dtypes of dates and durations begin, in NumPy, pandas, PyArrow and Polars.
TEMPORAL = re.compile("date|time|duration|period")
TEMPORAL_TYPES = date, time, timedelta, np.datetime64, np.timedelta64
# Rows that are looked through at a time.
BLOCK = 4096

REMEDY = "TabularEncoder(), in front of the network, encodes such columns."


def read_features(
    estimator, X, *, reset=False, dtype=NUMERIC, accept_sparse="csr", allow_missing=False
):
    """Return X as numbers, and check its features.

    Parameters
    ----------
    estimator : estimator
    X : array-like, data frame or sparse matrix of shape (n_samples, n_features)
    reset : bool, default=False
        Whether the estimator gets the number and the names of the features, or is compared.
    dtype, accept_sparse
        As of `sklearn.utils.check_array`.
    allow_missing : bool, default=False
        Whether missing values, which become nan, and infinities are accepted.

    Returns
    -------
    X : ndarray or sparse matrix

    Raises
    ------
    ValueError
        If X is no table of numbers, or has not the features that `fit` has seen.
    TypeError
        If X is evaluated lazily, or has objects that are neither numbers nor strings.
    """
    options = {"accept_sparse": accept_sparse, "dtype": dtype, "ensure_all_finite": False}
    # scikit-learn converts what may be too large, and adds up all values, also inf and -inf.
    with np.errstate(all="ignore"):
        values = check_array(to_numbers(X), estimator=estimator, input_name="X", **options)
        if not allow_missing:
            check_finite(values, columns_of(X)[0])
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    return values


def to_numbers(X):
    """Return X as an array, if scikit-learn would not convert or misread it, or as it is.

    Raises
    ------
    ValueError, TypeError
    """
    refuse_lazy(X)
    names, dtypes = columns_of(X)
    for j, dtype in enumerate(dtypes):
        if TEMPORAL.match(str(dtype).lower()):
            where = "" if names is None else f" in column {names[j]!r}"
            raise ValueError(f"X has dates or durations{where}, of dtype {dtype}. {REMEDY}")
    if isinstance(X, np.ma.MaskedArray) and np.ma.is_masked(X):
        raise ValueError(
            "X is an array with masked values, which would be read as if they were not masked. "
            "Pass X.astype(float).filled(np.nan) to NumericalEncoder(), which imputes them."
        )
    is_numeric = dtypes and all(getattr(dtype, "kind", "O") in KINDS for dtype in dtypes)
    if issparse(X) or is_numeric:
        return X
    try:
        table = np.asarray(X)
    except ValueError as error:
        raise ValueError(f"X is not accepted: {error}") from error
    if table.ndim != 2 or table.dtype.kind in KINDS:
        return table
    return to_floats(table, names)


def refuse_lazy(X):
    """Raise a TypeError if X is a Dask collection, which would be gathered, or a LazyFrame."""
    if hasattr(X, "__dask_graph__"):
        raise TypeError(
            f"A Dask {type(X).__name__} is not accepted as X: the estimators of sknumpynet.dask "
            "work on its blocks. Or call its compute() to gather it."
        )
    if type(X).__name__ == "LazyFrame":
        raise TypeError("A LazyFrame is not accepted as X: call its collect().")


def columns_of(X):
    """Return the names of the columns of X, None for an array, and their dtypes, if known."""
    if hasattr(X, "column_names") and hasattr(X, "schema"):  # PyArrow
        return X.column_names, X.schema.types
    if hasattr(X, "columns") and hasattr(X, "dtypes"):  # pandas and Polars
        return list(X.columns), list(X.dtypes)
    return None, [X.dtype] if hasattr(X, "dtype") else []


def to_floats(table, names):
    """Return an array of objects or strings as float64; None and pandas.NA become nan.

    Parameters
    ----------
    table : ndarray of shape (n_samples, n_features)
    names : list or None
        Of the columns, for errors; None numbers them.
    """
    values, types = table.astype(object), set(map(type, table.flat))
    absent = tuple(t for t in types if t.__name__ in ("NoneType", "NAType"))
    if absent:
        is_absent = np.frompyfunc(lambda value: isinstance(value, absent), 1, 1)
        values[is_absent(values).astype(bool)] = np.nan
    try:
        if any(issubclass(t, TEMPORAL_TYPES) for t in types):
            raise ValueError("dates and durations, some of which NumPy would convert")
        return values.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        for (row, column), value in np.ndenumerate(values):
            check_number(value, place(row, column, names))
        raise ValueError(f"X is not accepted: {error}") from error


def check_number(value, where):
    """Raise an error that names a value and its place, unless it is a number."""
    try:
        if isinstance(value, TEMPORAL_TYPES):
            raise ValueError("it is a date or duration")
        float(value)
    except (TypeError, ValueError, OverflowError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        cause = str(error).rstrip(".")
        raise kind(
            f"X has {short(value)}, which is no number, in {where}: {cause}. {REMEDY}"
        ) from error


def check_finite(values, names):
    """Raise a ValueError that names the first value of an ndarray or CSR that is not finite."""
    try:
        assert_all_finite(values)
    except ValueError as error:
        row, column, value = first_not_finite(values)
        problem = "NaN" if np.isnan(value) else "infinity"
        raise ValueError(
            f"Input X contains {problem}: the first, {value}, is in {place(row, column, names)}. "
            "Put NumericalEncoder() in front of the network, which imputes such values."
        ) from error


def first_not_finite(X):
    """Return row, column and value of the first entry that is not finite."""
    if issparse(X):
        X = X.tocoo()
        first = np.argmin(np.isfinite(X.data))
        return X.row[first], X.col[first], X.data[first]
    start = next(b.start for b in gen_batches(len(X), BLOCK) if not np.isfinite(X[b]).all())
    row, column = np.argwhere(~np.isfinite(X[start : start + BLOCK]))[0]
    return start + row, column, X[start + row, column]


def place(row, column, names):
    """Return the words for a row and a column of X."""
    return f"row {row}, column {int(column) if names is None else names[column]!r}"
