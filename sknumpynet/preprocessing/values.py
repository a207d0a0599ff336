"""The values of one column of a table: what they are, and as levels or numbers."""

import re
from datetime import date, timedelta
from decimal import Decimal
from numbers import Number
from reprlib import repr as short

import numpy as np

from sknumpynet.versioning import warn_user

NUMBER, CATEGORY, DATE, DURATION = "number", "category", "date", "duration"
# Numbers that are also categories, and columns of missing values.
CODE, EMPTY = "code", "empty"
# What values are, by the kind of NumPy's dtype, and by the types of objects.
OF_DTYPES = dict.fromkeys("iuf", NUMBER) | dict.fromkeys("bUS", CATEGORY)
OF_DTYPES |= {"M": DATE, "m": DURATION}
OF_TYPES = {
    DATE: (date, np.datetime64),
    DURATION: (timedelta, np.timedelta64),
    CATEGORY: (bool, np.bool_),
    NUMBER: (Number, Decimal),
}
MISSING_TYPES = "NoneType", "NAType", "NaTType"
# How they are written.
PATTERNS = {
    NUMBER: re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)(e[+-]?\d+)?", re.IGNORECASE),
    DATE: re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d(:\d\d){0,2}(\.\d+)?)?"),
    DURATION: re.compile(r"(-?\d+ days?, )?\d+:\d\d:\d\d(\.\d+)?"),
}
# Text: at least WORDS words on average, and more than half of the strings are distinct.
WORDS = 4
# Of at most FEW strings nothing is said. Others were meant as numbers or dates if at least MOST of
# them look like it, unless all are integers, which may be codes.
FEW, MOST = 20, 0.9
INTEGER = re.compile(r"[+-]?\d+")
OTHER_DATES = re.compile(r"\d\d?[./]\d\d?[./]\d{4}([ T].*)?")


def types_of(values):
    """Return the types of the objects that are not missing."""
    return {type(value) for value in values.tolist() if not is_missing(value)}


def kind_of(values):
    """Return what a column is by its values; EMPTY if all are missing."""
    if values.dtype.kind != "O":
        is_empty = values.dtype.kind in "fmM" and bool((values != values).all())
        return EMPTY if is_empty else OF_DTYPES.get(values.dtype.kind, CATEGORY)
    types = types_of(values)
    for kind, accepted in OF_TYPES.items():
        if types and all(issubclass(t, accepted) for t in types):
            return kind
    return CATEGORY if types else EMPTY


def is_missing(value):
    """Tell whether an object stands for a missing value."""
    is_nan = isinstance(value, (float, Decimal, np.generic)) and value != value
    return type(value).__name__ in MISSING_TYPES or bool(is_nan)


def looks_like(kind, level):
    """Tell whether a level is written as a number, a date or a duration is."""
    return level is not None and PATTERNS[kind].fullmatch(level) is not None


def as_levels(values, where):
    """Return the levels of a column, a vector of strings and None, where a value is missing.

    Raises
    ------
    TypeError
        If a value is a list, or anything else that cannot be hashed.
    """
    kind = values.dtype.kind
    if kind == "U":
        return values.astype(object)
    if kind in "mM":  # whose nanoseconds would become integers
        values = values.astype("timedelta64[us]" if kind == "m" else "datetime64[us]")
    if kind != "O":
        distinct, code = np.unique(values, return_inverse=True)
        return np.array([level_of(value, where) for value in distinct.tolist()], object)[code]
    levels = [v if type(v) is str else level_of(v, where) for v in values.tolist()]
    return np.array(levels, object)


def level_of(value, where):
    """Return the level of a value: the same for equal numbers, None for a missing one."""
    if is_missing(value):
        return None
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    if isinstance(value, Decimal) and value.is_finite():
        value = int(value) if value == int(value) else value.normalize()
    if isinstance(value, (float, np.floating)) and value.is_integer():
        return str(int(value))
    try:
        hash(value)
    except TypeError as error:
        raise TypeError(
            f"X has {short(value)} in {where}, which is neither a number nor a category: "
            f"{error}. Turn it into columns of numbers or strings, or drop the column."
        ) from None
    return str(value)


def check_strings(strings, n_rows, where):
    """Refuse text, and warn of numbers and dates that were read as strings.

    Parameters
    ----------
    strings : list of str
        The levels of a column.
    n_rows : int
        The rows that they are from.
    where : str
        Words for the column.
    """
    n = len(strings)
    if n <= FEW:
        return
    n_words = np.mean([len(text.split()) for text in strings])
    if n_words >= WORDS and n > n_rows / 2:
        raise ValueError(
            f"X has text in {where}: {n} different strings in {n_rows} rows, of {n_words:.0f} "
            f"words on average, for instance {short(strings[0])}. TabularEncoder does not encode "
            "text. Drop the column, or encode the table with skrub: make_pipeline("
            "skrub.TableVectorizer(), NumericalEncoder(), network)."
        )
    if all(map(INTEGER.fullmatch, strings)):
        return
    for kind, others, remedy in (
        (NUMBER, None, "pandas.to_numeric(column, errors='coerce')"),
        (DATE, OTHER_DATES, "pandas.to_datetime(column)"),
    ):
        like = [t for t in strings if looks_like(kind, t) or (others and others.fullmatch(t))]
        if len(like) >= MOST * n:
            warn_user(
                f"X has {kind}s as strings in {where}, for instance {like[-1]!r}: they are taken "
                f"for {n} categories. Convert them, for instance by {remedy}."
            )


def in_own_zone(value):
    """Return a date as it is written in its time zone; None for a missing one."""
    if is_missing(value):
        return None
    return value.replace(tzinfo=None) if getattr(value, "tzinfo", None) else value


def in_days(values):
    """Return durations in days; nan for a missing one."""
    days = values / np.timedelta64(1, "D")
    return np.where(np.isnat(values), np.nan, days)


def parts_of_date(t):
    """Return the numbers by which a network sees dates, by their names; nan for a missing one."""
    is_known = ~np.isnat(t)
    t = np.where(is_known, t, np.datetime64(0, "us"))
    day, month, year = (t.astype(f"datetime64[{unit}]") for unit in "DMY")
    days, months, years = (unit.astype(np.int64) for unit in (day, month, year))
    hour = in_days(t - day) * 24
    day_of_year = (day - year.astype(day.dtype)).astype(np.int64)
    parts = {
        "days": days + hour / 24,
        "year": 1970 + years,
        "month": 1 + months % 12,
        "weekday": (days + 3) % 7,  # 1970 began on a Thursday; Monday is 0
        "hour": hour,
        "year_sin": np.sin(2 * np.pi * day_of_year / 365.25),
        "year_cos": np.cos(2 * np.pi * day_of_year / 365.25),
        "day_sin": np.sin(2 * np.pi * hour / 24),
        "day_cos": np.cos(2 * np.pi * hour / 24),
    }
    return {name: np.where(is_known, part, np.nan) for name, part in parts.items()}
