"""A transformer for any table, to put in front of the network."""

from copy import copy
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from sknumpynet.core.types import Auto, Table
from sknumpynet.data.rows import check_weight
from sknumpynet.data.split import sample
from sknumpynet.preprocessing.averages import (
    comparable_targets,
    fold_of_rows,
    is_code,
    target_statistics,
)
from sknumpynet.preprocessing.categories import MOST_LEVELS, distinct_levels, one_hot, positions
from sknumpynet.preprocessing.columns import Columns
from sknumpynet.preprocessing.numerical import MOST_TRIED, NumericalEncoder
from sknumpynet.preprocessing.values import CATEGORY, CODE, check_strings
from sknumpynet.versioning import VersionMixin


class TabularEncoder(VersionMixin, TransformerMixin, BaseEstimator):
    """Turn the columns of any table into what a network learns well from.

    =======================  ===================================================================
    column                   result
    =======================  ===================================================================
    numbers                  as of `NumericalEncoder`: scaled, imputed, encoded
    two levels               0 and 1
    up to 20 levels          one column for each
    more levels, with `y`    what `y` is on average where the level occurs, in a column for each
                             class (one for two classes, 30 for more than 30) or for each
                             number, regularised [1]_
    more levels otherwise    a column for each of the 20 commonest
    codes                    as numbers, and the averages of `y` as for more levels
    dates                    days since 1970, year, month, weekday, hour, and the day of the year
                             and the hour as sines and cosines, which then are numbers
    durations                days, which then are numbers
    only missing values      nothing
    =======================  ===================================================================

    Categories are strings, booleans, and columns of the dtypes category, Categorical, Enum and
    dictionary of pandas, Polars and PyArrow. A missing value is a level of its own, if there was
    one in `fit`. A level that `fit` has not seen becomes zeros, which for averages of `y` stand for
    the average of all.

    Codes are whole numbers whose values say more of `y` than their size does, such as 999 for
    "never": more than 24 values, five rows for each, and averages of `y` at them that explain what
    a piecewise-linear function does not.

    `fit_transform`, which a Pipeline calls, learns the averages for each row from other rows: an
    average over a few rows, one's own among them, would give the row's `y` away. So it differs from
    ``fit(X, y).transform(X)``.

    Parameters
    ----------
    categorical_features : 'from_dtype', array-like of {bool, int, str} or None, \
default='from_dtype'
        Which columns are categories, besides strings and objects that are no numbers: those of the
        dtypes above, or those that a mask, positions or names tell. None tells none.
    n_bins : int or 'auto', default='auto'
        As of `NumericalEncoder`, for numbers.

    Attributes
    ----------
    kinds_ : list of {'number', 'category', 'code', 'date', 'duration', 'empty'}
        What each column was taken for.
    numerical_ : NumericalEncoder or None
        Of the numbers, dates and durations; None without any.
    levels_ : list of list of (str or None)
        For each column that is a category, and then for each that is a code, its levels; None is a
        missing value.
    tables_ : list of ndarray of float32 of shape (n_levels + 1, n_columns)
        For each of them what becomes of its levels; the last row is that of other levels.
    n_features_in_ : int
        Columns seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where X had some that are all strings.

    References
    ----------
    .. [1] Micci-Barreca, "A Preprocessing Scheme for High-Cardinality Categorical Attributes in
       Classification and Prediction Problems", SIGKDD Explorations 2001.

    Examples
    --------
    >>> import pandas as pd
    >>> from sknumpynet import TabularEncoder
    >>> X = pd.DataFrame({"age": [31, 47, None, 52], "city": ["Bern", "Oslo", "Bern", None]})
    >>> encoder = TabularEncoder().fit(X)
    >>> encoder.transform(X).round(2)
    array([[-1.75,  0.  ,  1.  ,  0.  ,  0.  ],
           [ 0.  ,  0.  ,  0.  ,  1.  ,  0.  ],
           [-0.36,  0.25,  1.  ,  0.  ,  0.  ],
           [ 0.66,  0.  ,  0.  ,  0.  ,  1.  ]], dtype=float32)
    >>> encoder.get_feature_names_out().tolist()
    ['age', 'age_missing', 'city_Bern', 'city_Oslo', 'city_missing']
    """

    __module__ = "sknumpynet.preprocessing"  # saved models name it

    kinds_: list[str]
    numerical_: NumericalEncoder | None
    levels_: list[list[str | None]]
    tables_: list[NDArray[np.float32]]
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]

    def __init__(
        self,
        categorical_features: ArrayLike | Literal["from_dtype"] | None = "from_dtype",
        n_bins: int | Auto = "auto",
    ) -> None:
        self.categorical_features = categorical_features
        self.n_bins = n_bins

    def fit(
        self, X: Table, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Find out what the columns are, and how they are encoded.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            A data frame of pandas, Polars or PyArrow. Values may be missing.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Class labels or numbers. Whole numbers with at most 30 distinct values are labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows. Levels of rows without weight are unknown ones.

        Returns
        -------
        self : TabularEncoder
            The transformer itself, fitted.

        Raises
        ------
        ValueError, TypeError
            If X is no table, has two columns of one name, or one of text, of lists or of other
            objects that are neither numbers, dates nor categories, or if a parameter is not valid.
        """
        encoder = copy(self)
        encoder._fit(X, y, sample_weight)
        self._replace_state(vars(encoder))
        return self

    def fit_transform(
        self, X: Table, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> Any:
        """Fit, and return the encoded table, for which averages of `y` come from other rows.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            As of `fit`.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            As of `fit`.
        sample_weight : array-like of shape (n_samples,), default=None
            As of `fit`.

        Returns
        -------
        X : ndarray of float32 of shape (n_samples, n_features_out)
            With the columns that `get_feature_names_out` names.
        """
        encoder = copy(self)
        numbers, codes, fold, of_folds = encoder._fit(X, y, sample_weight)
        tables = zip(encoder.tables_, of_folds, codes, strict=True)
        own = [t[code] if f is None else f[fold, code] for t, f, code in tables]
        result = encoder._encode(numbers, own)
        self._replace_state(vars(encoder))
        return result

    def _fit(self, X, y, sample_weight, fold=None):
        """Fit, and return what the rows of X become.

        Parameters
        ----------
        X, y, sample_weight
            As of `fit`.
        fold : ndarray of int of shape (n_samples,) or None
            The fold of each row; None chooses them.

        Returns
        -------
        numbers : ndarray of float64 of shape (n_samples, n_numbers)
            As of `Columns.numbers`.
        codes : list of ndarray
            The levels of the rows in each category.
        fold : ndarray of int of shape (n_samples,) or None
            None if there are no means.
        of_folds : list of (ndarray or None)
            For each category the tables of the rows of each fold; None if all have the same.
        """
        columns = Columns(X)
        validate_data(self, X, reset=True, skip_check_array=True)
        weight = check_weight(sample_weight, columns.n_rows)
        weight = np.ones(columns.n_rows) if weight is None else weight.ravel()
        if y is not None:
            check_consistent_length(X, y)
        self.kinds_ = columns.kinds(self.categorical_features)
        numbers, self._parts = columns.numbers(self.kinds_)
        self.numerical_ = None
        if self._parts:
            self.numerical_ = NumericalEncoder(self.n_bins).fit(numbers, y, weight)
            # One indicator tells that a date is missing.
            is_first = [part in ("", "days") for _, part in self._parts]
            self.numerical_.has_missing_ &= is_first
        rows = np.flatnonzero(weight)
        self.levels_ = []
        codes = self._fit_levels(columns, CATEGORY, rows)
        T, names = comparable_targets(y, weight)
        table = [numbers, *codes]
        if T is not None:
            self._find_codes(table, T, weight)
            codes += self._fit_levels(columns, CODE, rows)
        has_means = [
            T is not None and (len(known) > MOST_LEVELS or self.kinds_[j] == CODE)
            for j, known in zip(self._with_levels(), self.levels_, strict=True)
        ]
        if fold is None and any(has_means):
            fold = np.zeros(columns.n_rows, np.intp)
            fold[rows] = fold_of_rows(np.column_stack(table)[rows])
        of_folds = self._fit_tables(codes, has_means, T, names, weight, fold)
        return numbers, codes, fold, of_folds

    def _find_codes(self, table, T, weight):
        """Find out which of the numbers, the first array of a table, are codes."""
        some = sample(np.flatnonzero(weight), MOST_TRIED)
        T, weight = T[some], weight[some] / weight[some].mean()
        table = [part[some] for part in table]
        numbers, fold = table[0], fold_of_rows(np.column_stack(table))
        for k, (j, part) in enumerate(self._parts):
            if part == "" and is_code(numbers[:, k], T, weight, fold):
                self.kinds_[j] = CODE

    def _fit_levels(self, columns, kind, rows):
        """Find the levels of the columns of a kind in some rows; return those of all rows."""
        codes = []
        for j in self._of_kind(kind):
            levels = columns.levels(j)
            known = distinct_levels(levels[rows])
            if columns.kind(j) == CATEGORY:
                strings = [level for level in known if level is not None]
                check_strings(strings, len(rows), columns.where(j))
            self.levels_.append(known)
            codes.append(positions(levels, known))
        return codes

    def _fit_tables(self, codes, has_means, T, names, weight, fold):
        """Find the tables of the categories; return those of each fold, where they differ."""
        rows = np.flatnonzero(weight)
        weight = weight[rows] / weight[rows].mean()
        self.tables_, self._shown, of_folds = [], [], []
        for known, code, by_mean in zip(self.levels_, codes, has_means, strict=True):
            if by_mean:
                shown = names
                table, of_fold = target_statistics(
                    code[rows], len(known), T[rows], weight, fold[rows]
                )
            else:
                table, shown = one_hot(np.bincount(code[rows], weight, len(known)))
                shown, of_fold = ["missing" if known[k] is None else known[k] for k in shown], None
            self.tables_.append(table)
            self._shown.append(shown)
            of_folds.append(of_fold)
        return of_folds

    def transform(self, X: Table) -> Any:
        """Return the encoded table: numbers and their encodings, then the categories.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            With the columns of `fit`, in any order if they have names.

        Returns
        -------
        X : ndarray of float32 of shape (n_samples, n_features_out)
            With the columns that `get_feature_names_out` names.

        Raises
        ------
        ValueError, TypeError
            If X does not have the columns of `fit`, or one is of another kind.
        """
        encoder = copy(self)  # a fit in another thread does not change it
        check_is_fitted(encoder)
        columns = Columns(X)
        if not columns.reorder(getattr(encoder, "feature_names_in_", None)):
            validate_data(encoder, X, reset=False, skip_check_array=True)
        levels = zip(encoder._with_levels(), encoder.levels_, strict=True)
        codes = [columns.codes(j, known) for j, known in levels]
        tables = zip(encoder.tables_, codes, strict=True)
        numbers, _ = columns.numbers(encoder.kinds_)
        return encoder._encode(numbers, [table[code] for table, code in tables])

    def _encode(self, numbers, categories):
        """Return what `transform` does, for the numbers and the encoded categories."""
        if self.numerical_ is None:
            encoded = numbers.astype(np.float32)  # there are none
        else:
            encoded = self.numerical_._encode(numbers)
        return np.concatenate([encoded, *categories], axis=1)

    def _of_kind(self, kind):
        """Return the positions of the columns of a kind."""
        return [j for j, of_column in enumerate(self.kinds_) if of_column == kind]

    def _with_levels(self):
        """Return the positions of the columns that have levels: categories, and then codes."""
        return self._of_kind(CATEGORY) + self._of_kind(CODE)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """Return the names of the columns of the result.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns; None is those seen in `fit`, or x0, x1, ...

        Returns
        -------
        names : ndarray of str objects
            Those of `NumericalEncoder`, where parts of dates are NAME_year and so on; then
            NAME_LEVEL or NAME_mean or NAME_mean_CLASS for each category.
        """
        encoder = copy(self)  # a fit in another thread does not change it
        check_is_fitted(encoder)
        names = _check_feature_names_in(encoder, input_features)
        numbers = [names[j] + f"_{part}" * bool(part) for j, part in encoder._parts]
        if encoder.numerical_ is not None:
            numbers = encoder.numerical_.get_feature_names_out(numbers)
        shown = zip(names[encoder._with_levels()], encoder._shown, strict=True)
        categories = [f"{name}_{level}" for name, levels in shown for level in levels]
        return np.array(distinct([*numbers, *categories]), dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.categorical = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def distinct(names):
    """Return names of which none is twice: a number is appended to the second one."""
    seen = {}
    for name in names:
        k = 1
        while (other := name if k == 1 else f"{name}_{k}") in seen:
            k += 1
        seen[other] = None
    return list(seen)
