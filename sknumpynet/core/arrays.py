"""Arrays aligned to cache lines or of another dtype, and ``y += a x`` in one pass over the memory.

NumPy's large arrays start 16 bytes after a cache line, so each 64-byte vector instruction touches
two lines: x *= 2 in place takes 12.5 us instead of 9.7 us for 200,000 float32 numbers.
"""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy.linalg import blas

from sknumpynet.core.types import Floats, Table

CACHE_LINE = 64
AXPY = {np.dtype(np.float32): blas.saxpy, np.dtype(np.float64): blas.daxpy}


def aligned_empty(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Return an uninitialised array that starts at a cache line."""
    n_bytes = prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(n_bytes + CACHE_LINE, np.uint8)
    start = -memory.ctypes.data % CACHE_LINE
    return memory[start : start + n_bytes].view(dtype).reshape(shape)


def aligned_copy(x: NDArray[Any], dtype: DTypeLike | None = None) -> NDArray[Any]:
    """Return an aligned copy of `x`, optionally in another dtype."""
    result = aligned_empty(x.shape, x.dtype if dtype is None else dtype)
    np.copyto(result, x, casting="same_kind")
    return result


def add_multiple(y: Floats, a: float, x: Floats) -> None:
    """Add ``a * x`` to `y` in place; both are contiguous, of one float dtype and shape (n,)."""
    AXPY[y.dtype](x, y, a=a)


def converted(X: Table, dtype: DTypeLike) -> Table:
    """Return X in another dtype; raise if it has values that are too large for it."""
    try:
        with np.errstate(over="raise"):
            return X.astype(dtype, copy=False)
    except FloatingPointError:
        raise ValueError(
            f"X has values that are too large for {dtype}: scale X, for instance with "
            "StandardScaler, or set dtype='float64'."
        ) from None
