"""Schedules: their limits, their shape, and where they end."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sknumpynet.core.schedules import ANNEALING, SCHEDULES

U = np.linspace(0, 1, 1001)


@pytest.mark.parametrize("name", SCHEDULES)
def test_factor_stays_in_its_bounds_and_falls_after_the_warmup(name):
    values = np.array([SCHEDULES[name](u, 1000 * u, 0.5) for u in U])
    assert values.min() >= 0
    assert_allclose(values.max(), 1)
    assert (np.diff(values[values.argmax() :]) <= 0).all()
    assert (np.diff(values[: values.argmax() + 1]) >= 0).all()
    if name in ANNEALING:  # the curve has no jumps
        assert np.abs(np.diff(values)).max() < 0.01


@pytest.mark.parametrize("name", SCHEDULES)
def test_annealing_schedules_end_at_0_and_the_others_do_not_depend_on_the_end(name):
    factor = SCHEDULES[name]
    if name in ANNEALING:
        assert_allclose(factor(1, 500, 0.5), 0, atol=1e-12)
    else:
        assert factor(0, 500, 0.5) == factor(1, 500, 0.5) > 0


def test_constant_is_1():
    assert {SCHEDULES["constant"](u, 10**9, 0.5) for u in U} == {1.0}


def test_invscaling_is_a_power_of_the_samples_seen():
    factor = SCHEDULES["invscaling"]
    assert factor(0, 0, 0.25) == 1
    assert_allclose(factor(0, 80, 0.25), 1 / 3)
    assert_allclose(factor(0, 80, 1), 1 / 81)


def test_linear_and_cosine_are_symmetric_and_cosine_is_flat_at_both_ends():
    for name in ("linear", "cosine"):
        values = np.array([SCHEDULES[name](u, 0, None) for u in U])
        assert_allclose(values + values[::-1], 1)
    slopes = {name: 1 - SCHEDULES[name](0.01, 0, None) for name in ("linear", "cosine")}
    assert_allclose(slopes["linear"], 0.01)
    assert_allclose(slopes["cosine"], (np.pi * 0.01 / 2) ** 2, rtol=1e-3)


def test_one_cycle_warms_up_for_a_tenth_and_then_falls_along_half_a_cosine():
    factor = SCHEDULES["one_cycle"]
    assert_allclose(factor(0, 0, None), 0.04)
    assert_allclose(factor(0.05, 0, None), 0.52)
    assert_allclose(factor(0.1, 0, None), 1)
    assert_allclose(factor(0.1 + 0.9 / 4, 0, None), np.cos(np.pi / 8) ** 2)
    assert_allclose(factor(0.55, 0, None), 0.5)
