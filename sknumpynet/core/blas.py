"""Limit the threads of BLAS while a network is trained, or predicts.

The wheels of NumPy and SciPy each bundle an OpenBLAS with its own threads, which busy-wait for a
while after each call. When both libraries are used in turn, their threads compete for the cores:
L-BFGS on 200,000 parameters takes 2.7 times as long. NumPy's BLAS computes the matrix products and
keeps its threads; SciPy's only adds vectors and loses nothing with one thread.

While other processes keep the cores busy, threads that share a product wait for each other and burn
time: a default fit then takes up to 40 times the CPU seconds of one thread. Small products, which
are all that a default fit has, are therefore computed by one thread.

The number of threads belongs to the whole process, so other code may change it meanwhile, such as
`threadpoolctl.threadpool_limits` in another thread. What it has set stays.
"""

import os
from functools import cache
from pathlib import Path
from threading import RLock

import scipy
from threadpoolctl import ThreadpoolController

# Fewer multiplications than this are a small product.
SMALL_PRODUCT = 64_000_000

lock = RLock()
users = {"scipy": set(), "numpy": set()}
limited = set()
# The numbers of threads to restore, by library.
originals = {"scipy": {}, "numpy": {}}


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


def update_limits() -> None:
    """Set a limit when its first user enters, restore the threads when its last user leaves."""
    for name, members in users.items():
        if members and name not in limited:
            limited.add(name)
            for library in libraries()[name].lib_controllers:
                if library.num_threads != 1:
                    originals[name][library] = library.num_threads
                    library.set_num_threads(1)
            release_control(name)
        elif not members and (name in limited or originals[name]):
            limited.discard(name)
            restore(name)
            release_control(name)


def restore(name: str) -> None:
    """Restore the threads of the libraries that still have the limit.

    threadpoolctl 3.8 and newer changes nothing while a limit is in place that another thread has
    set. The library keeps that limit then, and the next call tries again.
    """
    for library, n_threads in list(originals[name].items()):
        if library.num_threads == 1:
            library.set_num_threads(n_threads)
        if library.num_threads != 1:
            del originals[name][library]


def release_control(name: str) -> None:
    """Let other threads set limits.

    With threadpoolctl 3.8 and newer, the first thread that sets the threads of OpenBLAS keeps all
    others from it until it leaves a context, such as this one, which limits nothing.
    """
    with libraries()[name].limit(limits=None):
        pass


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

    def __init__(self, n_multiplications: int) -> None:
        self.names = ("scipy", "numpy") if n_multiplications < SMALL_PRODUCT else ("scipy",)

    def __enter__(self) -> None:
        with lock:
            for name in self.names:
                users[name].add(id(self))
            update_limits()

    def __exit__(self, *exception: object) -> None:
        with lock:
            for name in self.names:
                users[name].discard(id(self))
            update_limits()

    __del__ = __exit__


def reset_after_fork() -> None:
    """Start afresh in a forked child: other threads, and the lock they held, are not there."""
    global lock
    lock = RLock()
    for members in users.values():
        members.clear()
    update_limits()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=reset_after_fork)
