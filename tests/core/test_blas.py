"""BLAS has one thread while a network is trained, and gets back what it had."""

import gc
import os
import threading

import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.datasets import load_iris
from threadpoolctl import threadpool_info, threadpool_limits

from sknumpynet import NumpyMLPClassifier
from sknumpynet.core import blas
from sknumpynet.core.blas import limit_blas
from sknumpynet.core.losses import LOSSES

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


@pytest.mark.parametrize(("rows", "expected"), [(100, {1}), (2000, {2})])
def test_a_fit_uses_one_thread_for_small_products(monkeypatch, rows, expected):
    X, y = np.random.RandomState(0).randn(rows, 4), np.arange(rows) % 3
    seen = []
    value_and_grad = LOSSES["softmax"].value_and_grad

    def spy(self, *arguments):
        seen.append(threads("numpy"))
        return value_and_grad(self, *arguments)

    monkeypatch.setattr(LOSSES["softmax"], "value_and_grad", spy)
    with threadpool_limits(2):
        NumpyMLPClassifier(max_iter=2).fit(X, y)
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
