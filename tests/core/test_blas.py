"""SciPy's BLAS has one thread while a network is trained, and gets back what it had."""

import gc
import os
import threading

import pytest
from joblib import Parallel, delayed
from sklearn.datasets import load_iris
from threadpoolctl import threadpool_info, threadpool_limits

from sknumpynet import NumpyMLPClassifier
from sknumpynet.core import blas
from sknumpynet.core.blas import limit_scipy_blas

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


def threads_of_scipy():
    return [library["num_threads"] for library in blas.scipy_blas().info()]


def test_the_limit_holds_until_the_last_user_leaves():
    with threadpool_limits(2):
        before = threads_of_scipy()
        with limit_scipy_blas():
            with limit_scipy_blas():
                assert threads_of_scipy() == [1] * len(before)
            assert threads_of_scipy() == [1] * len(before)
        assert threads_of_scipy() == before


def test_a_user_who_never_leaves_is_forgotten():
    with threadpool_limits(2):
        before = threads_of_scipy()
        user = limit_scipy_blas()
        user.__enter__()
        assert threads_of_scipy() == [1] * len(before)
        del user
        gc.collect()
        assert threads_of_scipy() == before


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
        assert exit_code_of_child(lambda: limit_scipy_blas().__enter__() is None) == 0
    finally:
        release.set()
        thread.join()


@needs_fork
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_forked_during_a_fit_has_all_threads():
    with threadpool_limits(2):
        before = threads_of_scipy()
        with limit_scipy_blas():
            assert exit_code_of_child(lambda: threads_of_scipy() == before) == 0
            assert threads_of_scipy() == [1] * len(before)
