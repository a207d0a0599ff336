"""Limit the threads of BLAS while a network is trained.

The wheels of NumPy and SciPy each bundle an OpenBLAS with its own threads, which busy-wait for a
while after each call. When both libraries are used in turn, their threads compete for the cores:
L-BFGS on 200,000 parameters takes 2.7 times as long. NumPy's BLAS computes the matrix products and
keeps its threads; SciPy's only adds vectors and loses nothing with one thread.

Products of small matrices gain little from NumPy's threads, which wait for each other while other
processes use the cores: a fit on 150 rows then takes twice as long as with one thread, and now and
then half a minute. Small products are computed by one thread.
"""

import os
from functools import cache
from pathlib import Path
from threading import RLock

import scipy
from threadpoolctl import ThreadpoolController

# Fewer multiplications than this are a small product.
SMALL_PRODUCT = 3_000_000

lock = RLock()
users = {"scipy": set(), "numpy": set()}
limits = {}


@cache
def libraries():
    """Return a controller of SciPy's bundled BLAS, empty if NumPy shares it, and one of the rest.

    The keys are 'scipy' and 'numpy'.
    """
    site = Path(scipy.__file__).parents[1]
    bundled = (site / "scipy.libs", site / "scipy" / ".dylibs")
    controller = ThreadpoolController().select(user_api="blas")
    paths = [library["filepath"] for library in controller.info()]
    own = [path for path in paths if Path(path).parent in bundled]
    others = [path for path in paths if path not in own]
    return {
        "scipy": controller.select(filepath=own),
        "numpy": controller.select(filepath=others),
    }


def update_limits():
    """Set a limit if it has users, restore the original number of threads if not."""
    for name, members in users.items():
        if members and name not in limits:
            limits[name] = libraries()[name].limit(limits=1)
        elif not members and name in limits:
            limits[name].restore_original_limits()
            del limits[name]


class limit_blas:  # noqa: N801
    """Context manager: one thread for SciPy's BLAS, and for NumPy's if products are small.

    The limit holds as long as any user is inside. Every step can be repeated, and the destructor
    repeats the exit. An exception at any point, such as KeyboardInterrupt within `__exit__`,
    therefore cannot leave the limit in place.

    Parameters
    ----------
    n_multiplications : float
        Of the largest product.
    """

    def __init__(self, n_multiplications):
        self.names = ("scipy", "numpy") if n_multiplications < SMALL_PRODUCT else ("scipy",)

    def __enter__(self):
        with lock:
            for name in self.names:
                users[name].add(id(self))
            update_limits()

    def __exit__(self, *exception):
        with lock:
            for name in self.names:
                users[name].discard(id(self))
            update_limits()

    __del__ = __exit__


def reset_after_fork():
    """Start afresh in a forked child: other threads, and the lock they held, are not there."""
    global lock
    lock = RLock()
    for members in users.values():
        members.clear()
    update_limits()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=reset_after_fork)
