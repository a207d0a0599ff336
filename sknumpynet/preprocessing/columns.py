"""The columns of a table, whatever container it comes in, and what each of them is."""

import re
from functools import partial
from reprlib import repr as short

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array

from sknumpynet.data.features import columns_of, refuse_lazy, to_floats
from sknumpynet.preprocessing.categories import positions
from sknumpynet.preprocessing.values import (
    CATEGORY,
    CODE,
    DATE,
    DURATION,
    EMPTY,
    NUMBER,
    PATTERNS,
    as_levels,
    in_days,
    in_own_zone,
    kind_of,
    looks_like,
    parts_of_date,
    types_of,
)

# How the names of dtypes begin, in pandas, Polars and PyArrow: those of strings, and those that
# are numbers if `categorical_features` says so.
STRINGS = re.compile("str|utf8|large_string")
CATEGORICAL = re.compile("categor|enum|dictionary|bool")


class Columns:
    """The columns of a table.

    Parameters
    ----------
    X : data frame of pandas, Polars or PyArrow, or array-like of shape (n_samples, n_features)

    Raises
    ------
    ValueError, TypeError
        If X is sparse, is not two-dimensional, has no rows, or has no columns or equal names.
    """

    def __init__(self, X):
        refuse_lazy(X)
        if issparse(X):
            raise TypeError(
                "A sparse X is not accepted: TabularEncoder encodes the columns of tables. Use "
                "NumericalEncoder, or pass X.toarray()."
            )
        self.names, dtypes = columns_of(X)
        if self.names is None:
            X = check_array(as_array(X), dtype=None, ensure_all_finite=False, input_name="X")
            dtypes = [X.dtype] * X.shape[1]
        for n, what in zip(X.shape, ("sample", "feature"), strict=True):
            if n == 0:
                raise ValueError(
                    f"Found array with 0 {what}(s) (shape={X.shape}) while a minimum of 1 is "
                    "required by TabularEncoder."
                )
        for name in self.names if self.names and len({*self.names}) < X.shape[1] else ():
            if self.names.count(name) > 1:
                raise ValueError(f"X has several columns with the name {name!r}: rename them.")
        self.X, self.n_rows = X, X.shape[0]
        self.dtypes = [str(dtype).lower() for dtype in dtypes]
        self.order = range(X.shape[1])

    def reorder(self, names):
        """Put the columns in the order of these names, and return True, if they have them."""
        if names is None or self.names is None or {*names} != {*self.names}:
            return False
        self.order = [self.names.index(name) for name in names]
        return True

    def where(self, j):
        """Return the words for a column."""
        j = self.order[j]
        return f"column {j if self.names is None else self.names[j]!r}"

    def vector(self, j):
        """Return a column as an ndarray; dates are those of their own time zone."""
        j = self.order[j]
        if self.names is None:
            return self.X[:, j]
        if hasattr(self.X, "iloc"):
            return of_pandas(self.X.iloc[:, j])
        if hasattr(self.X, "to_series"):
            series = self.X.to_series(j)
            zone = getattr(series.dtype, "time_zone", None)
            return (series if zone is None else series.dt.replace_time_zone(None)).to_numpy()
        column = self.X.column(j)  # of PyArrow
        if self.dtypes[j].startswith("dictionary"):
            column = column.cast(column.type.value_type)
        elif getattr(column.type, "tz", None) is not None:
            from pyarrow.compute import local_timestamp

            column = local_timestamp(column)
        return column.to_numpy(zero_copy_only=False)

    def objects(self, j):
        """Return the values of a column of a data frame as objects."""
        j = self.order[j]
        if hasattr(self.X, "iloc"):
            return self.X.iloc[:, j].to_numpy(object)
        is_polars = hasattr(self.X, "to_series")
        values = self.X.to_series(j).to_list() if is_polars else self.X.column(j).to_pylist()
        return np.array(values, object)

    def kind(self, j):
        """Return what a column is by itself."""
        kind, dtype = kind_of(self.vector(j)), self.dtypes[self.order[j]]
        is_category = STRINGS.match(dtype) or CATEGORICAL.match(dtype)
        return CATEGORY if is_category and kind != EMPTY else kind

    def kinds(self, categorical_features):
        """Return what each column is taken for.

        Parameters
        ----------
        categorical_features : 'from_dtype', array-like or None
            As of `TabularEncoder`.

        Raises
        ------
        ValueError
            If it is nothing of that, or does not fit the columns.
        """
        kinds = [self.kind(j) for j in self.order]
        if isinstance(categorical_features, str) and categorical_features == "from_dtype":
            return kinds
        chosen = self.chosen(categorical_features)
        for j in self.order:
            if j in chosen:
                kinds[j] = CATEGORY
            elif kinds[j] == CATEGORY and not STRINGS.match(self.dtypes[j]):
                values = self.vector(j)
                is_number = values.dtype.kind == "b" or types_of(values) <= {bool, np.bool_}
                kinds[j] = NUMBER if is_number else kind_of(values)
        return kinds

    def chosen(self, categorical_features):
        """Return the positions of the columns that the parameter tells."""
        given = np.asarray([] if categorical_features is None else categorical_features)
        names, n, entries = self.names or [], len(self.order), given.ravel().tolist()
        match given.dtype.kind if given.ndim == 1 else None:
            case "b" if len(entries) == n:
                return {*np.flatnonzero(given).tolist()}
            case "i" | "u" if all(-n <= j < n for j in entries):
                return {j % n for j in entries}
            case "U" | "O" if all(name in names for name in entries):
                return {names.index(name) for name in entries}
            case "f" if not entries:  # an empty list
                return set()
        of = "which has no names" if self.names is None else f"with the names {short(names)}"
        raise ValueError(
            f"categorical_features={categorical_features!r} is not accepted for an X of {n} "
            f"columns, {of}: use 'from_dtype', None, a mask of {n} booleans, or a list of names or "
            "of positions of columns."
        )

    def numbers(self, kinds):
        """Return the numbers of the table, and where they come from.

        Returns
        -------
        numbers : ndarray of float64 of shape (n_samples, n_numbers)
        parts : list of (int, str)
            For each of them its column, and the part of it, if it is a date or duration.
        """
        found, parts = [np.empty((self.n_rows, 0))], []
        for j, kind in enumerate(kinds):
            if kind not in (CATEGORY, EMPTY):
                is_number = kind in (NUMBER, CODE)
                named = {"": self.floats(j)} if is_number else self.parts(j, kind)
                found.extend(named.values())
                parts.extend((j, part) for part in named)
        return np.column_stack(found), parts

    def floats(self, j):
        """Return a column of numbers."""
        values = self.vector(j)
        if kind_of(values) == EMPTY:
            return np.full(self.n_rows, np.nan)
        if values.dtype.kind in "iufb":
            return values.astype(np.float64)
        try:
            return to_floats(values[:, None], [self.where(j)])[:, 0]
        except (TypeError, ValueError) as error:
            raise ValueError(self.wrong_kind(j, "numbers")) from error

    def parts(self, j, kind):
        """Return the numbers of dates or durations, by their names."""
        values, has = self.vector(j), self.kind(j)
        if has == EMPTY:
            values = np.full(self.n_rows, None)
        elif kind == DATE and has == CATEGORY:
            texts = [level for level in self.levels(j) if level is not None]
            has = DATE if all(map(partial(looks_like, DATE), texts)) else has
        if has not in (kind, EMPTY):
            raise ValueError(self.wrong_kind(j, f"{kind}s"))
        if values.dtype.kind == "O":
            values = np.array([in_own_zone(value) for value in values], object)
        if kind == DURATION:
            return {"days": in_days(values.astype("timedelta64[us]"))}
        return parts_of_date(values.astype("datetime64[us]"))

    def levels(self, j):
        """Return the level of each row in a column of categories: a string, None if missing."""
        values = self.vector(j)
        if values.dtype.kind == "f" and "int" in self.dtypes[self.order[j]]:
            values = self.objects(j)  # with missing ones, of which floats would be made
        return as_levels(values, self.where(j))

    def codes(self, j, known):
        """Return the positions of the levels in the known ones."""
        kind, found = self.kind(j), positions(self.levels(j), known)
        if kind in PATTERNS and not any(map(partial(looks_like, kind), known)):
            raise ValueError(self.wrong_kind(j, f"the levels {short(known)}"))
        return found

    def wrong_kind(self, j, seen):
        """Return the words for a column of another kind than in `fit`."""
        kind, dtype = self.kind(j), self.dtypes[self.order[j]]
        has = "strings or categories" if kind == CATEGORY else f"{kind}s"
        return (
            f"X has {has} of dtype {dtype} in {self.where(j)}, where fit has seen {seen}: convert "
            "the column."
        )


def as_array(X):
    """Return X as an array; lists of strings and numbers become objects, not strings."""
    values = np.asarray(X)
    if values.dtype.kind == "T":  # which scikit-learn compares with nan
        return values.astype(object)
    if values.dtype.kind in "US" and not hasattr(X, "dtype"):
        values = np.array(X, dtype=object)
    return values


def of_pandas(series):
    """Return a Series as an ndarray."""
    dtype = series.dtype
    if not isinstance(dtype, np.dtype):
        if dtype.kind in "iuf":
            return series.to_numpy(np.float64, na_value=np.nan)
        if str(dtype).startswith("period"):
            series = series.dt.to_timestamp()
        elif getattr(dtype, "tz", None) is not None:
            series = series.dt.tz_localize(None)
    return series.to_numpy()
