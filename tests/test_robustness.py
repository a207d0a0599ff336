"""What must not matter to the recommended Pipeline: units, outliers, copies, missing values."""

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline

from sknumpynet import NumericalEncoder, NumpyMLPClassifier, NumpyMLPRegressor

SETS = "letter", "pendigits", "phoneme", "segment", "spambase", "waveform5000"
OF_NUMBERS = "abalone", "bank8FM"
DATA = Path(os.environ.get("SKNUMPYNET_DATA", ""))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        "SKNUMPYNET_DATA" not in os.environ
        or not ((DATA / "tabular").is_dir() and (DATA / "regression").is_dir()),
        reason="set SKNUMPYNET_DATA to a directory whose tabular/ holds NAME.npz of six sets, and "
        "whose regression/ holds two",
    ),
]
SEEDS = 0, 1


@cache
def load(name):
    """Return 2000 rows to train on, their targets, up to 4000 others, and theirs."""
    file = np.load(DATA / ("regression" if name in OF_NUMBERS else "tabular") / f"{name}.npz")
    X, y = file["X"].astype(np.float64), file["y"]
    rows = np.random.default_rng(0).permutation(len(X))
    train, test = np.split(rows[:6000], [min(2000, len(X) // 2)])
    return X[train], y[train], X[test], y[test]


def error(X, y, X_test, y_test):
    """Return the mean test error, over a few seeds, of the recommended Pipeline.

    That of numbers is the part of their variance that is not explained.
    """
    Estimator = NumpyMLPRegressor if y.dtype.kind == "f" else NumpyMLPClassifier
    models = (
        make_pipeline(NumericalEncoder(), Estimator(effort=0.5, random_state=seed))
        for seed in SEEDS
    )
    return np.mean([1 - model.fit(X, y).score(X_test, y_test) for model in models])


@cache
def plain_error(name):
    return error(*load(name))


def outliers(X, rng):
    """Return X with 0.3 % of the values of each feature replaced by 1e6 or -1e6."""
    return np.where(rng.random(X.shape) < 0.003, rng.choice([-1e6, 1e6], X.shape), X)


def units(X, rng):
    """Return X with each feature in other units."""
    factors, offsets = np.array([1e-6, 1e6, 1.0]), np.array([0.0, 0.0, 1e4])
    kind = np.arange(X.shape[1]) % 3
    return X * factors[kind] + offsets[kind]


def monotone(X, rng):
    """Return every other feature through a logarithm, the others through an exponential."""
    low, high = X.min(axis=0), X.max(axis=0)
    u = (X - low) / np.maximum(high - low, 1e-9)
    return np.where(np.arange(X.shape[1]) % 2, np.log(u + 0.05), np.exp(3 * u))


def copied_columns(X, rng):
    return np.hstack([X, X])


@pytest.mark.parametrize("change", [outliers, units, monotone, copied_columns])
@pytest.mark.parametrize("name", [*SETS, *OF_NUMBERS])
def test_a_change_of_the_features_costs_at_most_a_point(name, change):
    X, y, X_test, y_test = load(name)
    changed = change(np.vstack([X, X_test]), np.random.default_rng(1))
    changed = error(changed[: len(X)], y, changed[len(X) :], y_test)
    assert changed < plain_error(name) + 0.01


@pytest.mark.parametrize("name", [*SETS, *OF_NUMBERS])
def test_copies_of_all_rows_cost_at_most_a_point(name):
    X, y, X_test, y_test = load(name)
    changed = error(np.repeat(X, 2, axis=0), np.repeat(y, 2), X_test, y_test)
    assert changed < plain_error(name) + 0.01


def test_missing_values_cost_no_more_than_they_cost_gradient_boosting():
    costs = []
    for name in SETS:
        X, y, X_test, y_test = load(name)
        rng = np.random.default_rng(1)
        holes, holes_test = (
            np.where(rng.random(part.shape) < 0.2, np.nan, part) for part in (X, X_test)
        )
        trees = HistGradientBoostingClassifier(random_state=0)
        before, after = (
            1 - trees.fit(train, y).score(test, y_test)
            for train, test in ((X, X_test), (holes, holes_test))
        )
        costs.append([error(holes, y, holes_test, y_test) - plain_error(name), after - before])
    ours, theirs = np.transpose(costs)
    assert ours.mean() <= theirs.mean()
    assert (ours <= theirs + 0.015).all()
