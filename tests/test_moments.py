"""Moments of columns of numbers: those of NumPy, whatever the parts they are pooled from."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sknumpynet.data.moments import Moments


@pytest.mark.parametrize("unit", [1e-300, 1.0, 1e300])
@pytest.mark.parametrize("weighted", [False, True])
def test_pooled_moments_are_those_of_all_rows(weighted, unit):
    rng = np.random.RandomState(0)
    columns = unit * (rng.randn(300, 3) * [1, 1e-6, 0] + [0, 1, 2])
    weight = rng.rand(300) if weighted else None
    whole = Moments.of(columns, weight)
    assert_allclose(
        whole.mean / unit, np.average(columns / unit, axis=0, weights=weight), rtol=1e-12
    )
    parts = [slice(*ends) for ends in pairwise([0, 1, 40, 41, 300])]
    pooled = Moments.pooled(
        [Moments.of(columns[p], None if weight is None else weight[p]) for p in parts]
    )
    assert_allclose(pooled.weight, whole.weight)
    assert_allclose(pooled.mean, whole.mean, rtol=1e-12, atol=1e-14 * unit)
    assert_allclose(pooled.deviation / unit, whole.deviation / unit, rtol=1e-9, atol=1e-15)
    assert_allclose(pooled.largest, np.abs(columns).max(axis=0))


@pytest.mark.parametrize("unit", [1e-300, 1.0, 1e300])
def test_robust_moments_are_those_of_a_normal_distribution_whatever_the_gross_errors(unit):
    x = np.random.RandomState(0).normal(3, 2, 10_000)
    x[:3000] = 3  # values that are equal to the median do not count
    x[-50:] = 1e8
    moments = Moments.robust(unit * x[:, None] / 1e8)
    assert_allclose(moments.mean * 1e8 / unit, 3, atol=0.1)
    assert_allclose(moments.deviation * 1e8 / unit, 2, rtol=0.05)


def test_robust_moments_of_weighted_rows_are_those_of_repeated_ones():
    rng = np.random.RandomState(0)
    columns, weight = rng.lognormal(size=(99, 2)), rng.randint(0, 4, 99)
    weighted = Moments.robust(columns, weight.astype(float))
    repeated = Moments.robust(np.repeat(columns, weight, axis=0))
    assert_allclose(weighted.mean, repeated.mean)
    assert_allclose(weighted.deviation, repeated.deviation)
    constant = Moments.robust(np.full((5, 1), 7.0), np.array([0.0, 1, 1, 0, 1]))
    assert (constant.mean, constant.deviation, constant.varies) == (7, 0, False)
