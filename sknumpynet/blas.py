"""SciPy's BLAS: ``y += a x`` in one pass over the memory, and how many threads it may use.

SciPy brings an OpenBLAS of its own beside NumPy's, and the threads of each spin for a while when
they have nothing to do. Two of them in turns fight for the cores: L-BFGS on 200,000 parameters
takes 2.7 times as long. So for the time of a training SciPy's has one thread.
"""

from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock

import numpy as np
import scipy
from scipy.linalg import blas
from threadpoolctl import ThreadpoolController  # scikit-learn needs it, so it is there

AXPY = {np.dtype(np.float32): blas.saxpy, np.dtype(np.float64): blas.daxpy}
LOCK = Lock()
users, limits = 0, None


def add_multiple(y, a, x):
    """Add a x to y in place, both contiguous, of one floating dtype and shape (n,)."""
    AXPY[y.dtype](x, y, a=a)


@cache
def scipys_own():
    """Return what controls the BLAS that came with SciPy; of nothing where NumPy's is the same."""
    site = Path(scipy.__file__).parents[1]
    controller = ThreadpoolController()
    paths = [Path(library["filepath"]) for library in controller.info()]
    own = [p for p in paths if p.parent in (site / "scipy.libs", site / "scipy" / ".dylibs")]
    return controller.select(filepath=[str(path) for path in own])


@contextmanager
def one_thread():
    """Hold SciPy's BLAS to one thread; the last of several users gives back what was."""
    global users, limits
    with LOCK:
        users += 1
        if users == 1:
            limits = scipys_own().limit(limits=1)
    try:
        yield
    finally:
        with LOCK:
            users -= 1
            if users == 0:
                limits.restore_original_limits()
