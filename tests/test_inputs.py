"""What the defaults look at in X: its variance, its distance from 0, and collinearity."""

from dataclasses import astuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, csr_matrix

from sknumpynet.data.inputs import COLLINEAR, describe_inputs
from sknumpynet.data.split import sample


def describe(X, weight=None):
    rows = np.arange(X.shape[0]) if weight is None else np.flatnonzero(weight)
    return describe_inputs(X, rows, weight)


def independent(n, p, seed=0):
    return np.random.RandomState(seed).randn(n, p)


def test_the_variances_and_squares_are_sums_over_the_features():
    X = independent(300, 7) * np.arange(1, 8) + 5
    inputs = describe(X)
    assert_allclose(inputs.total_variance, X.var(axis=0).sum())
    assert_allclose(inputs.total_square, (X**2).mean(axis=0).sum())


@pytest.mark.parametrize(("n", "p"), [(60, 30), (60, 2000), (500, 50), (3000, 100), (400, 5000)])
def test_the_movement_of_independent_features_is_their_total_variance(n, p):
    inputs = describe(independent(n, p))
    assert_allclose(inputs.movement, inputs.total_variance, rtol=0.1)


@pytest.mark.parametrize("p", [2, 10, 500])
def test_the_movement_of_copies_of_a_feature_is_their_number_times_the_total_variance(p):
    inputs = describe(np.repeat(independent(3000, 1), p, axis=1))
    assert_allclose(inputs.movement, p * inputs.total_variance, rtol=0.2)


def test_features_that_rise_and_fall_together_are_collinear():
    n, p = 300, 200
    noise, common = independent(n, p), independent(n, 3, 1) @ independent(3, p, 2)
    assert describe(common + 0.1 * noise).is_collinear
    assert not describe(noise).is_collinear
    assert not describe(0.01 * common).is_collinear  # small steps
    assert describe(independent(60, 2 * COLLINEAR)).is_collinear  # very many features add up too


def test_the_density_is_the_fraction_that_is_not_0():
    X = np.zeros((50, 40))
    X[:, :3] = 7
    assert describe(X).density == describe(csr_array(X)).density == 3 / 40
    stored = csr_array(np.ones((4, 5)))
    stored.data[:] = 0  # what is stored may be 0
    assert describe(stored).density == describe(stored).unevenness == 0


def test_categories_fill_rows_evenly_and_texts_do_not():
    rng = np.random.RandomState(0)
    categories = np.eye(30)[rng.randint(0, 30, 100)]
    assert describe(categories).unevenness == 0
    lengths = rng.poisson(9, 400)
    texts = np.arange(1000) < lengths[:, None]
    found = describe(csr_array(texts.astype(float))).unevenness
    assert_allclose(found, lengths.std() / lengths.mean())
    assert_allclose(found, 1 / 3, rtol=0.1)  # of a Poisson distribution


@pytest.mark.parametrize("convert", [csr_array, csr_matrix])
@pytest.mark.parametrize("offset", [0.0, 3.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_sparse_rows_are_described_as_the_same_dense_ones(weighted, offset, convert):
    rng = np.random.RandomState(0)
    X = np.where(rng.rand(2000, 30) < 0.2, rng.randn(2000, 30) + offset, 0)
    X[:, 1] = X[:, 0]
    weight = rng.randint(3, size=2000).astype(float) if weighted else None
    dense, sparse = describe(X, weight), describe(convert(X), weight)
    assert_allclose(astuple(sparse), astuple(dense), rtol=1e-9)


def test_the_order_of_the_rows_does_not_matter():
    """Sorted by a feature, with two kinds of rows in turn, periodic, and at random."""
    n, rng = 2**18, np.random.RandomState(0)
    kind = np.arange(n) % 2
    X = rng.randn(n, 6) * np.where(kind, 1, 10)[:, None]
    X[:, 5] = 20 * np.sin(2 * np.pi * np.arange(n) / 8)
    orders = np.arange(n), np.argsort(X[:, 0]), np.argsort(kind, kind="stable"), rng.permutation(n)
    described = [astuple(describe(X[order])) for order in orders]
    everything = X.var(axis=0).sum()
    for values in described:
        assert_allclose(values[0], everything, rtol=0.03)
        assert_allclose(values, described[-1], rtol=0.25)


def test_a_row_of_weight_two_counts_as_two_rows():
    rng = np.random.RandomState(0)
    X, count = rng.randn(300, 5) + 1, rng.randint(3, size=300)
    weighted, repeated = describe(X, count.astype(float)), describe(np.repeat(X, count, axis=0))
    assert_allclose(astuple(weighted)[:2], astuple(repeated)[:2])


def test_constant_and_single_rows_have_no_variance_and_are_not_collinear():
    for X in (np.ones((50, 3)), np.ones((1, 3)), np.zeros((50, 3))):
        for rows in (X, csr_array(X)):
            inputs = describe(rows)
            assert inputs.total_variance == 0
            assert_allclose(inputs.total_square, 3 * X[0, 0])
            assert not inputs.is_collinear


def test_values_of_any_size_are_described_without_warnings():
    X = independent(100, 3)
    for size in (1e-300, 1e-30, 1e30, 1e300):
        with np.errstate(all="raise"):
            assert not describe(X * size).total_variance < 0


def test_a_sample_has_distinct_rows_in_their_order_and_is_always_the_same():
    rows = np.arange(1000) * 3
    few = sample(rows, 100)
    assert len(set(few)) == 100
    assert set(few) <= set(rows)
    assert_array_equal(few, np.sort(few))
    assert_array_equal(few, sample(rows, 100))
    assert_array_equal(sample(rows, 1000), rows)
    assert len(set(np.diff(few))) > 10  # not every tenth one
