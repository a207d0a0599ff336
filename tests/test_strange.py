"""Unusual data on which the defaults must not fall short of MLPClassifier's.

A sample of examples/benchmarks/strange.py, which has more kinds, sizes and methods.
"""

import importlib
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.metrics import log_loss

from sknumpynet import NumpyMLPClassifier

pytestmark = pytest.mark.slow
BENCHMARKS = Path(__file__).parents[1] / "examples" / "benchmarks"
CASES = [
    ("spectra", 80),
    ("baselines", 150),
    ("genes", 60),
    ("one_row_per_class", 60),
    ("one_row_per_class", 300),
    ("singles_and_pairs", 200),
    ("parity", 300),
    ("parity", 1000),
    ("sensors", 100),
    ("xor", 100),
    ("noise", 60),
    ("sparse_text", 60),
]


@pytest.fixture(scope="module")
def strange():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            patch.setenv(variable, "1")  # as the module sets it
        yield importlib.import_module("strange")


@pytest.mark.parametrize(("kind", "n"), CASES)
def test_the_defaults_do_not_fall_short_of_scikit_learns(strange, kind, n):
    rows = strange.run(getattr(strange, kind), n, 0, ["ours", "sk"])
    assert not strange.report.falls_short(rows, "ours"), rows


@pytest.mark.parametrize("seed", range(5))
def test_the_network_is_not_worse_than_the_best_of_the_pilot_run(strange, seed):
    X, y = strange.genes(60, np.random.RandomState(seed))
    model = NumpyMLPClassifier(random_state=seed).fit(X[:60], y[:60])
    assert "pilot" in model.history_["phase"]
    best = np.nanmin(model.history_["validation_loss"])
    assert log_loss(y[60:], model.predict_proba(X[60:])) < best + 0.1


def clusters(strange, n=500):
    """Return standardised rows of four classes, and their labels."""
    X, y = strange.clusters(n, np.random.RandomState(0))
    return (X - X[:n].mean(axis=0)) / X[:n].std(axis=0), y


def accuracy(X, y, n, **settings):
    """Return the accuracy of a default fit on the first n rows, for the others."""
    model = NumpyMLPClassifier(random_state=0, **settings).fit(X[:n], y[:n])
    return model.score(X[n:], y[n:])


@pytest.mark.parametrize("n", [150, 500])
@pytest.mark.parametrize("order", ["sorted by class", "interleaved", "sorted by a feature"])
def test_the_order_of_the_rows_does_not_matter(strange, n, order):
    X, y = clusters(strange, n)
    by_class = np.argsort(y[:n], kind="stable")
    new = {
        "sorted by class": by_class,
        "interleaved": by_class.reshape(-1, n // 10).T.ravel(),
        "sorted by a feature": np.argsort(X[:n, 0]),
    }[order]
    assert_array_equal(np.sort(new), np.arange(n))
    ordered = np.concatenate([new, np.arange(n, len(y))])
    assert accuracy(X[ordered], y[ordered], n) > accuracy(X, y, n) - 0.05


@pytest.mark.parametrize("n", [150, 500])
def test_small_features_are_learnt_as_well_as_standardised_ones(strange, n):
    X, y = clusters(strange, n)
    assert accuracy(0.1 * X, y, n) > accuracy(X, y, n) - 0.05


@pytest.mark.parametrize("n", [150, 500])
def test_very_small_features_are_warned_of(strange, n):
    X, y = clusters(strange, n)
    with pytest.warns(UserWarning, match=r"X is not scaled \(RMS deviation 1e-05\)"):
        accuracy(1e-5 * X, y, n)


@pytest.mark.parametrize("offset", [100, 300, 1000])
def test_features_that_are_far_from_0_are_learnt_and_warned_of(strange, offset):
    X, y = clusters(strange)
    expected = accuracy(X, y, 500)
    with pytest.warns(UserWarning, match=r"X is not scaled \(RMS value .* NumericalEncoder"):
        assert accuracy(X + offset, y, 500) > expected - 0.1
