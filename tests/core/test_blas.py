"""BLAS has one thread while a network is trained, and gets back what it had."""

import gc
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import threadpoolctl
from joblib import Parallel, delayed
from sklearn.datasets import load_iris
from threadpoolctl import threadpool_info, threadpool_limits

from sknumpynet import NumpyMLPClassifier
from sknumpynet.core import blas
from sknumpynet.core.activations import Tanh
from sknumpynet.core.blas import limit_blas
from sknumpynet.core.losses import LOSSES
from sknumpynet.core.network import Network, forward_in_blocks, initialize

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


def threads(name):
    return {library["num_threads"] for library in blas.libraries()[name].info()}


def test_numpys_and_scipys_blas_are_told_apart():
    paths = [[lib["filepath"] for lib in c.info()] for c in blas.libraries().values()]
    every = [lib["filepath"] for lib in threadpool_info() if lib["user_api"] == "blas"]
    assert sorted(paths[0] + paths[1]) == sorted(every)
    assert paths[1]  # NumPy's
    bundled = [path for path in every if "scipy.libs" in path or "scipy/.dylibs" in path]
    assert sorted(paths[0]) == sorted(bundled)


def test_the_limit_holds_until_the_last_user_leaves():
    with threadpool_limits(2):
        with limit_blas(1):
            with limit_blas(1):
                assert threads("numpy") == {1}
            assert threads("numpy") == {1}
            assert threads("scipy") <= {1}
        assert threads("numpy") == {2}
        assert threads("scipy") <= {2}


def test_large_products_keep_numpys_threads():
    with threadpool_limits(2), limit_blas(1e9):
        assert threads("numpy") == {2}
        assert threads("scipy") <= {1}
        with limit_blas(1):
            assert threads("numpy") == {1}
        assert threads("numpy") == {2}


@pytest.mark.parametrize(("units", "expected"), [(256, {1}), (1024, {2})])
def test_a_fit_uses_one_thread_for_small_products(monkeypatch, units, expected):
    X, y = np.random.RandomState(0).randn(600, 4), np.arange(600) % 3
    seen = []
    value_and_grad = LOSSES["softmax"].value_and_grad

    def spy(self, *arguments):
        seen.append(threads("numpy"))
        return value_and_grad(self, *arguments)

    monkeypatch.setattr(LOSSES["softmax"], "value_and_grad", spy)
    with threadpool_limits(2):
        NumpyMLPClassifier((units, units), max_iter=2).fit(X, y)
    assert seen == [expected] * len(seen) != []


@pytest.mark.parametrize(("rows", "expected"), [(1, {2}), (500, {1}), (4000, {2})])
def test_predicting_uses_one_thread_for_small_products(rows, expected):
    X = np.random.RandomState(0).randn(rows, 100).astype(np.float32)
    network = Network((100, 256, 256, 3), Tanh, None)
    params, seen = initialize(network, np.random.RandomState(0), "float32"), []
    with threadpool_limits(2):
        forward_in_blocks(X, params, network, lambda z: (seen.append(threads("numpy")), z)[1])
    assert seen == [expected] * len(seen) != []


def test_a_user_who_never_leaves_is_forgotten():
    with threadpool_limits(2):
        user = limit_blas(1)
        user.__enter__()
        assert threads("numpy") == {1}
        del user
        gc.collect()
        assert threads("numpy") == {2}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_training_gives_the_users_threads_back(solver):
    X, y = load_iris(return_X_y=True)
    model = NumpyMLPClassifier(8, solver=solver, max_iter=5, tol=1.0)
    with threadpool_limits(2):
        before = threadpool_info()
        model.fit(X, y)
        Parallel(2, prefer="threads")(delayed(model.fit)(X, y) for _ in range(8))
        assert threadpool_info() == before


def exit_code_of_child(work):
    """Fork; return the exit code of a child that does some work, 1 if it hangs or fails."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            watchdog = threading.Timer(30, os._exit, [1])
            watchdog.daemon = True
            watchdog.start()
            code = 0 if work() else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@needs_fork
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_forked_while_the_lock_is_held_can_train():
    held, release = threading.Event(), threading.Event()

    def hold():
        with blas.lock:
            held.set()
            release.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        assert exit_code_of_child(lambda: limit_blas(1).__enter__() is None) == 0
    finally:
        release.set()
        thread.join()


@needs_fork
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_forked_during_a_fit_has_all_threads():
    with threadpool_limits(2), limit_blas(1):
        assert exit_code_of_child(lambda: threads("numpy") == {2}) == 0
        assert threads("numpy") == {1}


class InThread:
    """Enters and leaves a context in a thread of its own, which stays alive."""

    def __init__(self, make):
        self.make, self.pool = make, ThreadPoolExecutor(1)

    def __enter__(self):
        self.context = self.pool.submit(self.make).result()
        self.pool.submit(self.context.__enter__).result()

    def __exit__(self, *exception):
        self.pool.submit(self.context.__exit__, None, None, None).result()


@pytest.fixture
def other_thread():
    """Return a function that makes a context of another thread, which lives until the test ends."""
    made = []

    def in_thread(make):
        made.append(InThread(make))
        return made[-1]

    yield in_thread
    for context in made:
        context.pool.shutdown()


@pytest.fixture
def two_threads():
    """All libraries have two threads at first, and no thread keeps others from changing that."""
    limits = threadpool_limits(2)
    with threadpool_limits(None):
        usual = threadpool_info()
    yield
    after = threadpool_info()
    with limits:
        pass
    assert after == usual


# Older versions do not tell which thread has set a limit.
tells_threads_apart = pytest.mark.skipif(
    not hasattr(threadpoolctl.OpenBLASController, "clear_controlling_thread"),
    reason="threadpoolctl 3.8 or newer tells the limits of threads apart",
)


@pytest.mark.usefixtures("two_threads")
def test_the_last_user_restores_the_threads_also_if_the_first_was_another_thread(other_thread):
    first, last = other_thread(lambda: limit_blas(1)), limit_blas(1)
    first.__enter__()
    with last:
        first.__exit__()
        assert threads("numpy") == {1}
    assert threads("numpy") == {2}


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("within", [False, True])
def test_a_user_of_the_limit_lets_other_threads_set_theirs(other_thread, within):
    limit = limit_blas(1)
    with limit:
        if within:
            with other_thread(lambda: threadpool_limits(3)):
                assert threads("numpy") == {3}
            assert threads("numpy") == {1}
    with other_thread(lambda: threadpool_limits(3)):
        assert threads("numpy") == {3}


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("n_threads", [pytest.param(1, marks=tells_threads_apart), 3])
def test_a_limit_that_another_thread_sets_during_training_stays(other_thread, n_threads):
    others = other_thread(lambda: threadpool_limits(n_threads))
    with limit_blas(1):
        others.__enter__()
    assert threads("numpy") == {n_threads}
    with limit_blas(1):
        pass
    assert threads("numpy") == {n_threads}
    others.__exit__()
    threadpool_limits(2)  # the other thread has restored what it had found


@pytest.mark.usefixtures("two_threads")
@tells_threads_apart
def test_the_threads_are_restored_later_if_another_threads_limit_prevented_it(other_thread):
    others = other_thread(lambda: threadpool_limits(1))
    with limit_blas(1):
        others.__enter__()
    others.__exit__()
    assert threads("numpy") == {1}
    with limit_blas(1e9):
        pass
    assert threads("numpy") == {2}


@pytest.mark.usefixtures("two_threads")
def test_a_limit_that_another_thread_lifts_during_training_stays_lifted(other_thread):
    others = other_thread(lambda: threadpool_limits(1))
    others.__enter__()
    with limit_blas(1):
        others.__exit__()
        assert threads("numpy") == {2}
    assert threads("numpy") == {2}
