"""Averages of y for the levels of categories, and for numbers whose values have a meaning."""

import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold

from sknumpynet.data.classes import ClassTargets
from sknumpynet.data.split import MOST_COPIES, duplicates
from sknumpynet.data.targets import guess_targets
from sknumpynet.preprocessing.encoding import MOST_BINS
from sknumpynet.preprocessing.numerical import NumericalEncoder
from sknumpynet.preprocessing.robust import Scaling, clipped, divided

# Of more classes than MOST_OUTPUTS, this many of the commonest have averages.
MOST_OUTPUTS = 30
# In fit_transform, the statistics of a row are learnt from the other N_FOLDS - 1 of N_FOLDS parts.
N_FOLDS = 5
# A number is a code if it has more values than an encoding has intervals, ROWS_PER_LEVEL rows for
# each of them, and if the means of y at its values explain the fraction EXPLAINED, and more than
# NOTICED standard errors, of the variance that a smooth function of the number leaves.
ROWS_PER_LEVEL, EXPLAINED, NOTICED = 5, 0.003, 3
# Means that vary less than LEAST times as much as y, where they are learnt from other rows, say
# nothing.
LEAST = 0.1


def comparable_targets(y, weight):
    """Return y as columns of mean 0 and variance 1, and what each of them is about.

    Parameters
    ----------
    y : array-like or None
    weight : ndarray of shape (n_samples,)

    Returns
    -------
    T : ndarray of shape (n_samples, n_outputs) or None
        A column for each class, or one for two classes; numbers are scaled robustly.
    names : list of str
    """
    rows = np.arange(len(weight))
    kind, targets = (None, None) if y is None else guess_targets(y, rows)
    if kind is None:
        return None, []
    if kind is ClassTargets and targets.ndim == 1:
        classes, codes = np.unique(targets, return_inverse=True)
        shown = np.argsort(-np.bincount(codes, weight), kind="stable")[:MOST_OUTPUTS]
        shown = np.sort(shown)[len(classes) == 2 :]
        T, names = (codes[:, None] == shown).astype(float), [f"mean_{c}" for c in classes[shown]]
    else:
        T = targets.reshape(len(weight), -1).astype(float)
        scaling, names = Scaling.of(T, weight), [f"mean{k}" for k in range(T.shape[1])]
        T = clipped(divided(T - scaling.center, scaling.scale))  # so that no outlier decides
    T = T - weight @ T / weight.sum()
    deviation = np.sqrt(weight @ T**2 / weight.sum())
    return T / np.where(deviation > 0, deviation, 1), names if T.shape[1] > 1 else ["mean"]


def fold_of_rows(rows):
    """Return the fold of each row; copies of a row are in the same one.

    If there are more than `MOST_COPIES` rows for each distinct one, they are no copies, but what
    the table repeats, such as the rows of a city whose columns are all about the city.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_columns)
        The numbers and codes of each row.
    """
    first, group = duplicates(rows, np.arange(len(rows)))
    if len(first) * MOST_COPIES < len(rows):
        first = group = np.arange(len(rows))
    fold = np.zeros(len(first), np.intp)
    if len(first) > 1:
        folds = KFold(min(N_FOLDS, len(first)), shuffle=True, random_state=1)
        for k, (_, held_out) in enumerate(folds.split(first)):
            fold[held_out] = k
    return fold[group]


def target_statistics(codes, n_levels, T, weight, fold):
    """Return the table of a feature's target statistics, and those without the rows of each fold.

    Parameters
    ----------
    codes : ndarray of int of shape (n_samples,)
        Level of each row.
    n_levels : int
    T : ndarray of shape (n_samples, n_outputs)
        As of `comparable_targets`.
    weight : ndarray of shape (n_samples,)
    fold : ndarray of int of shape (n_samples,)

    Returns
    -------
    table : ndarray of shape (n_levels + 1, n_outputs)
        Of all rows, scaled and clipped as numbers are. The last row is that of unknown levels: 0,
        the mean of all. All are 0 if the other rows of a level say nothing of its rows.
    of_folds : ndarray of shape (n_folds, n_levels + 1, n_outputs)
        For the rows of each fold, what the others say of their levels.
    """
    all_rows, of_folds = cross_fitted_means(codes, n_levels, T, weight, fold)
    deviation = np.sqrt(weight @ of_folds[fold, codes] ** 2 / weight.sum())
    scale = np.where(deviation < LEAST, np.inf, deviation)
    table, of_folds = (clipped(means / scale) for means in (all_rows, of_folds))
    return table.astype(np.float32), of_folds.astype(np.float32)


def is_code(numbers, T, weight, fold):
    """Tell whether a feature's numbers are also categories.

    An amount of exactly 7688 may be what one form of a law allows, or 999 mean that nobody asked:
    the mean of y at such a value says more than a smooth function of the number can.

    Parameters
    ----------
    numbers : ndarray of float64 of shape (n_samples,)
        Missing ones are nan.
    T, weight, fold
        As of `target_statistics`.
    """
    known, codes = np.unique(numbers, return_inverse=True)
    is_whole = np.array_equal(known, np.round(known), equal_nan=True) and not np.isinf(known).any()
    if not is_whole or not MOST_BINS < len(known) <= len(numbers) / ROWS_PER_LEVEL:
        return False
    encoded = NumericalEncoder(MOST_BINS).fit_transform(numbers[:, None], sample_weight=weight)
    smooth = LinearRegression().fit(encoded, T, weight)
    R = T - smooth.predict(encoded).reshape(T.shape)
    _, of_folds = cross_fitted_means(codes, len(known), R, weight, fold)
    unexplained = np.sum(weight @ (R - of_folds[fold, codes]) ** 2)
    least = max(EXPLAINED, NOTICED**2 / len(numbers))
    return bool(unexplained < (1 - least) * np.sum(weight @ R**2))


def cross_fitted_means(codes, n_levels, T, weight, fold):
    """Return `level_means` of all rows, and those without the rows of each fold, stacked."""
    sums = sums_of(fold * n_levels + codes, (fold.max() + 1, n_levels), T, weight)
    total = sums.sum(axis=0)
    return level_means(total), np.stack([level_means(total - part) for part in sums])


def sums_of(cells, shape, T, weight):
    """Return the sums of the weights, of T and of T^2 in each cell, (*shape, 1 + 2 n_outputs)."""
    columns = np.column_stack([np.ones(len(T)), T, T**2]).T
    n_cells = int(np.prod(shape))
    sums = [np.bincount(cells, weight * column, n_cells) for column in columns]
    return np.stack(sums, axis=-1).reshape(*shape, -1)


def level_means(sums):
    """Return the means of T of the levels, each drawn towards 0, the mean of all.

    With n rows of a level, its mean is multiplied by n / (n + m). m is the variance of T within
    levels, divided by that of the levels' means, as the analysis of variance estimates both. If
    the levels differ no more than by chance, all means are 0; also if each row has its own level.
    See Micci-Barreca, "A Preprocessing Scheme for High-Cardinality Categorical Attributes in
    Classification and Prediction Problems", SIGKDD Explorations 2001.

    Parameters
    ----------
    sums : ndarray of shape (n_levels, 1 + 2 n_outputs)

    Returns
    -------
    means : ndarray of shape (n_levels + 1, n_outputs)
        The last row is 0.
    """
    n_outputs = sums.shape[1] // 2
    count, total, square = sums[:, :1], sums[:, 1 : 1 + n_outputs], sums[:, 1 + n_outputs :]
    n, k = count.sum(), np.count_nonzero(count)
    known = np.maximum(count, np.finfo(float).tiny)
    mean = total / known
    if n - k < 1 or k < 2:
        return np.zeros((len(sums) + 1, n_outputs))
    within = np.maximum(0, np.sum(square - total * mean, axis=0)) / (n - k)
    rows_per_level = (n - np.sum(count**2) / n) / (k - 1)
    overall = total.sum(axis=0) / n
    between = np.sum(count * (mean - overall) ** 2, axis=0) / (k - 1) - within
    between = np.maximum(0, between) / rows_per_level
    share = np.where(between > 0, known * between / (known * between + within + 1e-12), 0)
    return np.vstack([share * mean, np.zeros(n_outputs)])
