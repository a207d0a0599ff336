"""Exceptions at any line of a fit: the estimator stays as it was, or as after a whole epoch.

The lines are those of the package, and those of the scorers, callbacks and array-likes below.
"""

import copy
import gc
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal, assert_equal
from scipy.sparse import csr_array
from threadpoolctl import threadpool_info

import sknumpynet
from sknumpynet import Checkpoint, NumericalEncoder, NumpyMLPClassifier, NumpyMLPRegressor
from sknumpynet.core.basis import folded
from sknumpynet.fit.files import last_saved
from sknumpynet.fit.observer import SUPPORTED, FitObserver

pytestmark = pytest.mark.slow

PACKAGE = str(Path(sknumpynet.__file__).parent)
# In each situation, faults are raised at N_POINTS of the lines that run, spread evenly. The long
# profile raises them at every line of the source that runs, the first time by an interrupt and the
# last time by an error.
N_POINTS = 20

rng = np.random.RandomState(0)
X, noise = rng.randn(240, 3), rng.choice(["yes", "no"], size=240)
y = np.where(X[:, 0] > X[:, 1] * X[:, 2], "yes", "no")


class Interrupt(BaseException):
    """Is caught by nobody, like KeyboardInterrupt."""


class SomeError(Exception):
    """An error of somebody else's."""


def run_with_fault(call, at=None, fault=None):
    """Run ``call()``; raise a fault at the line numbered `at`. Return the lines that ran."""
    lines = []

    def trace(frame, event, arg):
        if event == "line":
            lines.append((frame.f_code.co_filename, frame.f_lineno))
            if len(lines) == at:
                raise fault
        return trace

    def start(frame, event, arg):
        code = frame.f_code
        is_traced = code.co_filename.startswith(PACKAGE) or code.co_name in USERS_FUNCTIONS
        return trace if is_traced else None

    before = sys.gettrace()
    sys.settrace(start)
    try:
        call()
    except (Interrupt, SomeError):
        pass
    except AttributeError as error:
        if not isinstance(error.__cause__, SomeError):  # scikit-learn's `available_if` chains them
            raise
    finally:
        sys.settrace(before)
    return lines


def visible_state(model):
    """Return all that the estimator holds, in a form that `assert_equal` can compare."""
    state = copy.deepcopy(vars(model))
    stream = state["random_state"]
    state.pop("_skl_callbacks", None)
    return {**state, "random_state": stream.get_state(legacy=False)}


def unfitted(Estimator=NumpyMLPClassifier, **settings):
    stream = np.random.RandomState(5)
    settings = {"hidden_layer_sizes": 4, "batch_size": 50, "dropout": 0.2, **settings}
    return Estimator(**{"random_state": stream, **settings})


def of_numbers(**settings):
    return unfitted(NumpyMLPRegressor, **settings)


def streaming(**settings):
    return unfitted(**settings).partial_fit(X, y, classes=["no", "yes"])


USERS_FUNCTIONS = "scorer", "__array__", "on_fit_task_begin", "on_fit_task_end", "teardown"


def scorer(estimator, X, y):
    proba = estimator.predict_proba(X)
    return proba[np.arange(len(y)), (y == "yes").astype(int)].mean()


class ArrayLike:
    """Data that convert themselves."""

    def __init__(self, values):
        self.values, self.shape = values, values.shape

    def __len__(self):
        return len(self.values)

    def __array__(self, dtype=None, copy=None):
        values = self.values
        return np.array(values, dtype)


class Callback:
    """Predicts after each epoch."""

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        predicted = fitted_estimator.predict(X)
        return len(predicted) == 0

    def teardown(self, estimator, context):
        pass


SITUATIONS = {
    "fit": (lambda: unfitted(max_iter=5), lambda m: m.fit(X, y)),
    "few rows": (
        lambda: unfitted(max_iter=5, batch_size=20),
        lambda m: m.fit(X[:40], y[:40]),
    ),
    "refit": (lambda: unfitted(max_iter=5).fit(X[:, :2], y), lambda m: m.fit(X, y)),
    "early stopping": (
        lambda: unfitted(max_iter=4, early_stopping=True, class_weight="balanced"),
        lambda m: m.fit(X, y),
    ),
    "warm start": (
        lambda: unfitted(max_iter=2, warm_start=True).fit(X, y),
        lambda m: m.fit(X, y),
    ),
    "lbfgs": (
        lambda: unfitted(solver="lbfgs", max_iter=3, dropout=0.0, learning_rate="linear"),
        lambda m: m.fit(X, y),
    ),
    "numbers": (lambda: of_numbers(max_iter=5), lambda m: m.fit(X, X[:, 1], np.ones(240))),
    "numbers, warm start": (
        lambda: of_numbers(max_iter=2, warm_start=True, loss="huber").fit(X, X[:, 1]),
        lambda m: m.fit(X, X[:, 1], X_val=X[:40], y_val=X[:40, 1]),
    ),
    "numbers, partial_fit": (of_numbers, lambda m: m.partial_fit(X, X[:, 1])),
    "first partial_fit": (unfitted, lambda m: m.partial_fit(X, y, classes=["no", "yes"])),
    "partial_fit": (streaming, lambda m: m.partial_fit(X, y)),
    "a scorer, sparse data": (
        lambda: unfitted(max_iter=4, early_stopping=True, scoring=scorer),
        lambda m: m.fit(csr_array(X), y, X_val=csr_array(X[:40]), y_val=y[:40]),
    ),
    "array-likes": (
        lambda: unfitted(max_iter=5),
        lambda m: m.fit(ArrayLike(X), ArrayLike(y), ArrayLike(np.ones(240))),
    ),
    "a memory map, starting again": (
        lambda: unfitted(batch_size=30, effort=0.3, learning_rate_init=0.05),
        lambda m: m.fit(MEMORY_MAP, noise),
    ),
}
if SUPPORTED:
    SITUATIONS["callbacks"] = (
        lambda: unfitted(max_iter=4).set_callbacks(Callback()),
        lambda m: m.fit(X, y),
    )


@pytest.fixture
def points(long_profile):
    """Return a function that chooses (number, fault) for some of the lines that ran."""

    def choose(lines):
        if long_profile:
            first = {line: at for at, line in reversed([*enumerate(lines, 1)])}
            last = {line: at for at, line in enumerate(lines, 1)}
            return [(at, Interrupt) for at in first.values()] + [
                (at, SomeError) for at in last.values()
            ]
        some = np.unique(np.linspace(1, len(lines), N_POINTS).astype(int)).tolist()
        return [(at, Interrupt if at % 2 else SomeError) for at in some]

    return choose


@pytest.fixture(scope="module", autouse=True)
def memory_map(tmp_path_factory):
    """Make `MEMORY_MAP`, which is X in a file."""
    global MEMORY_MAP
    path = tmp_path_factory.mktemp("faults") / "X.npy"
    np.save(path, X)
    MEMORY_MAP = np.load(path, mmap_mode="r")


def epochs_of(make, call, monkeypatch):
    """Return the parameters to fall back to after each epoch, and at the end, by n_iter_."""
    seen = {}

    def end_epoch(self, run, reason, original=FitObserver.end_epoch):
        result = original(self, run, reason)
        params = folded(self.last["params"], run.backprop.network)
        seen.setdefault(self.last["n_iter"], []).append(params)
        return result

    with monkeypatch.context() as patch:
        patch.setattr(FitObserver, "end_epoch", end_epoch)
        model = make()
        call(model)
    seen.setdefault(model.n_iter_, []).append(model.params_)
    return seen


def assert_consistent(model, epochs):
    """Check that the estimator stands as after one of the epochs, and tells so."""
    lengths = {len(column) for column in model.history_.values()}
    assert lengths == {len(model.loss_curve_)}
    assert model.history_["loss"] == model.loss_curve_
    assert model.history_["epoch"] == list(range(1, len(model.loss_curve_) + 1))
    assert model.loss_ == model.loss_curve_[-1]
    assert any(np.array_equal(model.params_, params) for params in epochs[model.n_iter_])
    assert model.predict(X[:, : model.n_features_in_]).shape == y.shape


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_fault_at_any_line_leaves_the_estimator_consistent(situation, points, monkeypatch):
    make, call = SITUATIONS[situation]
    epochs = epochs_of(make, call, monkeypatch)
    model = make()
    lines = run_with_fault(lambda: call(model))
    assert len(lines) > 300
    assert_array_equal(model.params_, epochs[model.n_iter_][-1])
    threads = threadpool_info()
    changed = 0
    untouched = make()
    for at, fault in points(lines):
        model = copy.deepcopy(untouched)
        before = visible_state(model)
        run_with_fault(lambda m=model: call(m), at, fault)
        try:
            assert_equal(visible_state(model), before)
        except AssertionError:
            assert_consistent(model, epochs)
            changed += 1
        gc.collect()
        assert threadpool_info() == threads
        call(model)
        assert_consistent(model, epochs | {model.n_iter_: [model.params_]})
    if "partial_fit" not in situation:  # which changes the estimator at its end only
        assert changed > 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_fault_at_any_line_leaves_a_checkpoint_to_go_on_from(points, tmp_path):
    def model():
        return unfitted(max_iter=6, random_state=5)

    whole = model().fit(X, y)

    def fit(directory):
        return model().set_callbacks(Checkpoint(directory, every_epochs=1)).fit(X, y)

    lines, resumed = run_with_fault(lambda: fit(tmp_path / "whole")), 0
    for at, fault in points(lines):
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
        run_with_fault(lambda: fit(tmp_path / "run"), at, fault)
        if (tmp_path / "run").is_dir():
            resumed += last_saved(tmp_path / "run") is not None
        again = fit(tmp_path / "run")
        assert_array_equal(again.params_, whole.params_)
        assert again.loss_curve_ == whole.loss_curve_
        assert not list((tmp_path / "run").glob("*.tmp"))
    assert resumed > N_POINTS // 3


def test_a_fault_at_any_line_leaves_the_encoder_as_it_was_or_fitted(points):
    table, targets = X.copy(), (X[:, 0] > 0) + 0
    table[:, 1], table[::7, 2] = np.round(table[:, 1]), np.nan
    first = NumericalEncoder().fit(X[:, :2], targets)
    last = copy.deepcopy(first).fit(table, targets)
    expected = {2: first.transform(table[:, :2]), 3: last.transform(table)}
    names = {2: vars(first).keys(), 3: vars(last).keys()}
    lines = run_with_fault(lambda: copy.deepcopy(first).fit(table, targets))
    for at, fault in points(lines):
        encoder = copy.deepcopy(first)
        run_with_fault(lambda e=encoder: e.fit(table, targets), at, fault)
        d = encoder.n_features_in_
        run_with_fault(lambda: encoder.transform(table[:, :d]), at, fault)  # noqa: B023
        assert vars(encoder).keys() == names[d]
        assert_array_equal(encoder.transform(table[:, :d]), expected[d])
        assert_array_equal(encoder.fit(table, targets).transform(table), expected[3])
