"""Aligned arrays, and y += a x in place."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknumpynet.core.arrays import CACHE_LINE, add_multiple, aligned_copy, aligned_empty

DTYPES = ["float32", "float64"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (7,), (200_003,), (128, 256)])
def test_aligned_arrays_start_at_a_cache_line_and_behave_like_others(shape, dtype):
    x = np.asarray(np.random.RandomState(0).standard_normal(shape))
    copied = aligned_copy(x, dtype)
    for array in (aligned_empty(shape, dtype), copied, aligned_copy(x)):
        assert array.ctypes.data % CACHE_LINE == 0
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert array.shape == shape
    assert copied.dtype == dtype
    assert_array_equal(copied, x.astype(dtype))
    assert not np.shares_memory(x, aligned_copy(x))


@pytest.mark.parametrize("dtype", DTYPES)
def test_add_multiple_changes_only_y(dtype):
    x, memory = np.random.RandomState(0).randn(2, 50).astype(dtype)
    x_before, expected = x.copy(), memory.copy()
    expected[3:40] = (expected[3:40].astype(float) - 0.3 * x[3:40]).astype(dtype)
    add_multiple(memory[3:40], -0.3, x[3:40])
    assert_allclose(memory, expected, rtol=0, atol=4 * np.finfo(dtype).eps)
    assert_array_equal(x, x_before)
