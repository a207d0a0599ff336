"""Threads, processes and forks; and the same bits from the same seed, wherever a fit runs."""

import copy
import hashlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from queue import SimpleQueue
from time import sleep

import numpy as np
import pytest
from helpers import predictions
from joblib import Parallel, delayed, parallel_config
from numpy.testing import assert_array_equal
from sklearn.base import clone
from threadpoolctl import threadpool_info, threadpool_limits

from sknumpynet import NumericalEncoder, NumpyMLPClassifier, NumpyMLPRegressor

N_THREADS = 8

# With duplicates, which stay on one side of a validation split.
distinct = np.random.RandomState(0).randn(120, 6)
X = np.vstack([distinct, distinct[:60], distinct[:20]])
y = np.array(["a", "b", "c"])[(X[:, 0] > 0).astype(int) + (X[:, 1] > 0)]
weight = np.linspace(0.5, 2, len(y))
numbers = np.sin(X[:, 0]) + X[:, 1] * X[:, 2]

FITS = {
    "pilot run": {},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 5},
    "dropout": {"dropout": 0.2, "class_weight": "balanced"},
    "sgd": {"solver": "sgd", "learning_rate": "cosine"},
    "lbfgs": {"solver": "lbfgs", "max_iter": 20},
    "sklearn": {"preset": "sklearn", "early_stopping": True, "max_iter": 20},
    "small batches": {"batch_size": 8, "dtype": "float64"},
    "numbers": {"loss": "squared_error"},
    "quantiles": {"loss": "quantile", "quantile": [0.1, 0.9], "dropout": 0.1},
}
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]
# Python 3.12 and newer: a fork while other threads run is what some of these tests are about.
forks = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def new(seed=0, **settings):
    """Return an estimator: one with a loss is a regressor."""
    Estimator = NumpyMLPRegressor if "loss" in settings else NumpyMLPClassifier
    shared = {"hidden_layer_sizes": (16, 8), "effort": 0.2, "random_state": seed}
    return Estimator(**shared, **settings)


def fitted(model, X=X, **options):
    """Fit a model to the targets that it is for."""
    return model.fit(X, numbers if isinstance(model, NumpyMLPRegressor) else y, weight, **options)


def bits_of(model):
    """Return a hash of what the fit determined: parameters, history, predictions."""
    history = {name: column for name, column in model.history_.items() if name != "seconds"}
    record = [model.params_.tobytes(), predictions(model, X).tobytes(), repr(history).encode()]
    return hashlib.sha256(b"".join(record)).hexdigest()


def bits(name="pilot run", seed=0, **settings):
    """Fit a model in the way `name`; return a hash of the result."""
    return bits_of(fitted(new(seed, **FITS[name], **settings)))


@pytest.fixture(scope="module")
def serial():
    """The hash of each fit, made in this thread, by name; those of seeds 0, 1, ..."""
    return {name: bits(name) for name in FITS} | {seed: bits(seed=seed) for seed in range(8)}


def test_the_fits_differ(serial):
    assert len(set(serial.values())) == len(serial) - 1  # 'pilot run' is that of seed 0
    assert "pilot" in new().fit(X, y).history_["phase"]


@pytest.fixture
def restless():
    """Threads take turns a hundred times as often as usual."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(usual / 100)
    yield
    sys.setswitchinterval(usual)


def in_threads(*functions):
    """Call each function in a thread of its own; return the results."""
    with ThreadPoolExecutor(len(functions)) as pool:
        return [future.result() for future in [pool.submit(function) for function in functions]]


@pytest.mark.usefixtures("restless")
def test_threads_that_predict_with_one_model_get_what_one_thread_gets():
    model = new().fit(X, y)
    expected, whole, over = model.predict_proba(X), pickle.dumps(model), threading.Event()

    def predict():
        for _ in range(100):
            assert_array_equal(model.predict_proba(X), expected)
            assert_array_equal(model.predict(X[:50]), model.classes_[expected[:50].argmax(1)])

    def save():
        n_saved = 0
        while not over.is_set():
            assert pickle.dumps(model) == whole
            n_saved += 1
        return n_saved

    def predict_all():
        try:
            in_threads(*N_THREADS * [predict])
        finally:
            over.set()

    n_saved, _ = in_threads(save, predict_all)
    assert n_saved > 1
    assert_array_equal(pickle.loads(whole).predict_proba(X), expected)


@pytest.mark.usefixtures("restless")
def test_a_prediction_during_training_is_that_of_some_epoch():
    model = new().partial_fit(X, y, classes=list("abc"))
    twin = pickle.loads(pickle.dumps(model))
    of_epochs = {model.predict_proba(X).tobytes()}
    for _ in range(60):
        of_epochs.add(twin.partial_fit(X, y).predict_proba(X).tobytes())
    over = threading.Event()

    def train():
        for _ in range(60):
            model.partial_fit(X, y)
        over.set()

    def predict():
        seen = set()
        while not over.is_set():
            seen.add(model.predict_proba(X).tobytes())
        return seen

    _, *seen = in_threads(train, predict, predict)
    assert set().union(*seen) <= of_epochs
    assert bits_of(model) == bits_of(twin)


def two_networks():
    """Return two networks of different layers and classes for the same X."""
    twelve = np.array(list("abcdefghijkl"))[np.arange(len(X)) % 12]
    settings = {"max_iter": 2, "random_state": 0}
    one = NumpyMLPClassifier((16, 8), **settings).fit(X, y)
    other = NumpyMLPClassifier(12, **settings).fit(X, twelve)
    two_classes = NumpyMLPClassifier(12, **settings).fit(X, np.where(y == "a", "a", "z"))
    return {"more classes": (one, other), "two classes": (one, two_classes)}


READ = {
    "predict": lambda model: model.predict(X),
    "predict_proba": lambda model: model.predict_proba(X),
    "predict_log_proba": lambda model: model.predict_log_proba(X),
    "decision_function": lambda model: model.decision_function(X),
    "score": lambda model: model.score(X, y.astype(object)),
    "coefs_": lambda model: [W.tolist() for W in model.coefs_],
    "intercepts_": lambda model: [b.tolist() for b in model.intercepts_],
}


READ_REGRESSOR = {
    "predict": lambda model: model.predict(X).tolist(),
    "score": lambda model: model.score(X, numbers),
    "coefs_": READ["coefs_"],
}


READ_ENCODER = {
    "transform": lambda encoder: encoder.transform(X).tolist(),
    "get_feature_names_out": lambda encoder: encoder.get_feature_names_out().tolist(),
}


def read(model, name):
    """Return what a method or attribute gives, in a form that can be compared."""
    result = READ[name](model)
    return result if isinstance(result, list) else np.asarray(result).tolist()


class Refitted:
    """Gets the attributes of another fit when its attributes are read for the n-th time."""

    left, later = -1, None

    def __getattribute__(self, name):
        if Refitted.left > 0:
            Refitted.left -= 1
            if Refitted.left == 0:
                object.__setattr__(Refitted.later[0], "__dict__", dict(Refitted.later[1]))
        return object.__getattribute__(self, name)


class RefittedClassifier(Refitted, NumpyMLPClassifier):
    pass


class RefittedRegressor(Refitted, NumpyMLPRegressor):
    pass


class RefittedEncoder(Refitted, NumericalEncoder):
    pass


def check_refits(make, first, second, read):
    """Assert that a result is that of one of two fits, whenever the second replaces the first."""
    expected, n_changed = [read(first), read(second)], 0
    assert expected[0] != expected[1]
    for n_reads in range(1, 1000):
        model = make()
        model.__dict__ = dict(vars(first))
        Refitted.later = model, vars(second)
        Refitted.left = n_reads
        result = read(model)
        assert result in expected
        if Refitted.left > 0:
            break
        n_changed += result == expected[1]
    Refitted.left = -1
    assert 0 < n_changed < n_reads < 999


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("change", ["more classes", "two classes"])
def test_whenever_another_thread_refits_a_result_is_that_of_one_network(name, change):
    check_refits(RefittedClassifier, *two_networks()[change], lambda model: read(model, name))


@pytest.mark.parametrize("name", READ_REGRESSOR)
def test_whenever_another_thread_refits_a_result_is_that_of_one_regressor(name):
    settings = {"max_iter": 2, "random_state": 0}
    first = NumpyMLPRegressor("poisson", (16, 8), **settings).fit(X, np.exp(numbers / 9))
    second = NumpyMLPRegressor(hidden_layer_sizes=12, **settings).fit(X, 1000 * numbers)
    check_refits(RefittedRegressor, first, second, READ_REGRESSOR[name])


@pytest.mark.parametrize("name", READ_ENCODER)
def test_whenever_another_thread_refits_a_result_is_that_of_one_encoder(name):
    first = NumericalEncoder(4).fit(X)
    second = NumericalEncoder(8).fit(np.where(X > 1, np.nan, -X))
    check_refits(RefittedEncoder, first, second, READ_ENCODER[name])


@pytest.mark.usefixtures("restless")
def test_threads_that_predict_while_another_one_refits_get_the_results_of_one_network():
    first, second = two_networks()["more classes"]
    expected = {name: [read(first, name), read(second, name)] for name in READ}
    model, over = NumpyMLPClassifier(), threading.Event()
    model._commit(vars(first), None, is_new=False)

    def refit():
        for k in range(300):
            model._commit(vars((second, first)[k % 2]), None, is_new=False)
            sleep(0.001)
        over.set()

    def check():
        while not over.is_set():
            for name in READ:
                assert read(model, name) in expected[name]
            saved = pickle.loads(pickle.dumps(copy.deepcopy(model)))
            assert saved.predict(X).tolist() in expected["predict"]

    in_threads(refit, *4 * [check])


@pytest.mark.usefixtures("restless")
def test_fits_in_threads_give_the_bits_of_fits_in_a_row(serial):
    seeds = range(N_THREADS)
    found = in_threads(*(lambda seed=seed: bits(seed=seed) for seed in seeds))
    assert found == [serial[seed] for seed in seeds]


@pytest.mark.usefixtures("restless")
def test_different_fits_in_threads_do_not_disturb_each_other(serial):
    found = in_threads(*(lambda name=name: bits(name) for name in FITS))
    assert found == [serial[name] for name in FITS]


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_joblibs_workers_give_the_bits_of_one_process(serial, backend):
    with parallel_config(backend, n_jobs=2):
        found = Parallel()(delayed(bits)(name) for name in FITS)
    assert found == [serial[name] for name in FITS]


@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize("n_threads", [1, 2])
def test_a_small_network_has_the_same_bits_with_any_number_of_threads(serial, name, n_threads):
    with threadpool_limits(n_threads):
        assert bits(name) == serial[name]


@pytest.mark.parametrize("name", FITS)
def test_verbose_does_not_change_a_bit(serial, name, capsys):
    assert bits(name, verbose=True) == serial[name]
    assert "loss" in capsys.readouterr().out


@pytest.mark.parametrize("name", FITS)
def test_callbacks_do_not_change_a_bit(serial, name):
    callback = pytest.importorskip("sklearn.callback", reason="callbacks came with 1.9")
    scoring = {"numbers": "r2", "quantiles": lambda m, X, y: {"score": m.score(X, y)}}
    monitor = callback.ScoringMonitor(scoring=scoring.get(name, "accuracy"))
    model = new(**FITS[name]).set_callbacks(monitor)
    assert bits_of(fitted(model)) == serial[name]


LAYOUTS = {
    "Fortran order": np.asfortranarray(X),
    "every other column": np.repeat(X, 2, axis=1)[:, ::2],
    "read-only": np.frombuffer(X.tobytes()).reshape(X.shape),
    "list": X.tolist(),
}


@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_order_of_x_in_memory_does_not_change_a_bit(serial, name, layout):
    assert bits_of(fitted(new(**FITS[name]), LAYOUTS[layout])) == serial[name]


@forks
@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_a_process_started_in_any_way_gives_the_same_bits(serial, method, monkeypatch):
    """The hashes of strings differ in a new process, and thus the order of sets."""
    monkeypatch.setenv("PYTHONHASHSEED", "1234")
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
        assert list(pool.map(bits, FITS, timeout=120)) == [serial[name] for name in FITS]
        has_other_hashes = pool.submit(hash, "a").result() != hash("a")
    assert has_other_hashes or method != "spawn"


def exit_code_of_child(work):
    """Fork; return the exit code of a child that does some work: 0 if it returns True."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            signal.alarm(30)  # a child that hangs is killed
            code = 0 if work() else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@forks
@needs_fork
@pytest.mark.parametrize("name", ["pilot run", "lbfgs"])
def test_a_process_forked_during_a_fit_can_fit(serial, name, long_profile):
    """It has no limit of threads that the fit had set, and its fit gives the same bits."""
    moments = np.random.RandomState(0).uniform(0, 0.02, 200 if long_profile else 5)
    over, codes = threading.Event(), []

    def fit():
        while not over.is_set():
            bits(name)

    def is_unharmed():
        has_threads = threadpool_info() == before
        return has_threads and bits(name) == serial[name] and threadpool_info() == before

    with threadpool_limits(2):
        before = threadpool_info()
        thread = threading.Thread(target=fit)
        thread.start()
        try:
            for moment in moments:
                sleep(moment)
                codes.append(exit_code_of_child(is_unharmed))
        finally:
            over.set()
            thread.join()
        assert threadpool_info() == before
    assert codes == len(moments) * [0]


# Modules with state that threads share, or did share.
SHARING = "sknumpynet.core.blas", "sknumpynet.data.rows"


@forks
@needs_fork
def test_a_process_forked_in_any_function_of_a_fit_can_fit(long_profile):
    """Another thread waits within the function, which may hold a lock, while the child fits.

    Without ``--hypothesis-profile=long`` only a fifth of most modules' functions are tried.
    """
    calls, go_on, seen, failed = SimpleQueue(), SimpleQueue(), set(), []
    models = [new(max_iter=2, solver="lbfgs"), new(max_iter=2, early_stopping=True)]
    models.append(new(max_iter=2, loss="quantile"))

    def fit():
        return [fitted(clone(model)).params_.tobytes() for model in models]

    def fit_with_pauses():
        sys.settrace(pause)
        try:
            fit()
        finally:
            calls.put(None)

    def pause(frame, event, argument):
        name = f"{frame.f_globals.get('__name__')}.{frame.f_code.co_qualname}"
        if name.startswith("sknumpynet.") and name not in seen:
            seen.add(name)
            if long_profile or name.startswith(SHARING) or len(seen) % 5 == 0:
                calls.put(name)
                go_on.get()

    expected, thread = fit(), threading.Thread(target=fit_with_pauses)
    thread.start()
    for name in iter(calls.get, None):
        if not failed and exit_code_of_child(lambda: fit() == expected) != 0:
            failed.append(name)
        go_on.put(None)
    thread.join()
    assert failed == []
    assert {"sknumpynet.core.lbfgs.fit_lbfgs", "sknumpynet.core.blas.limit_blas.__exit__"} < seen
