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
