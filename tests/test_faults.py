"""Exceptions at any line of a fit: the estimator stays as it was, or as after a whole epoch."""

import copy
import gc
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal, assert_equal
from threadpoolctl import threadpool_info

import sknumpynet
from sknumpynet import NumpyMLPClassifier
from sknumpynet.callbacks import FitObserver

PACKAGE = str(Path(sknumpynet.__file__).parent)
# So many of the lines that run in each situation are tested, spread evenly; 0 is all.
N_POINTS = int(os.environ.get("SKNUMPYNET_FAULTS", "75"))

rng = np.random.RandomState(0)
X = rng.randn(100, 3)
y = np.where(X[:, 0] > X[:, 1] * X[:, 2], "yes", "no")


class Injected(BaseException):
    """Is caught by nobody, like KeyboardInterrupt."""


def run_with_fault(call, at):
    """Run ``call()``; raise at the line numbered `at` of our package. Return the lines that ran."""
    n_lines = 0

    def trace(frame, event, arg):
        nonlocal n_lines
        if event == "line":
            n_lines += 1
            if n_lines == at:
                raise Injected
        return trace

    def start(frame, event, arg):
        return trace if frame.f_code.co_filename.startswith(PACKAGE) else None

    before = sys.gettrace()
    sys.settrace(start)
    try:
        call()
    except Injected:
        pass
    finally:
        sys.settrace(before)
    return n_lines


def visible_state(model):
    """Return all that the estimator holds, in a form that `assert_equal` can compare."""
    state = copy.deepcopy(vars(model))
    stream = state["random_state"]
    return {**state, "random_state": stream.get_state(legacy=False)}


def unfitted(**settings):
    stream = np.random.RandomState(5)
    settings = {"hidden_layer_sizes": 4, "batch_size": 50, "dropout": 0.2, **settings}
    return NumpyMLPClassifier(random_state=stream, **settings)


def streaming(**settings):
    return unfitted(**settings).partial_fit(X, y, classes=["no", "yes"])


SITUATIONS = {
    "fit": (lambda: unfitted(max_iter=5), lambda m: m.fit(X, y)),
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
    "first partial_fit": (unfitted, lambda m: m.partial_fit(X, y, classes=["no", "yes"])),
    "partial_fit": (streaming, lambda m: m.partial_fit(X, y)),
}


def epochs_of(make, call, monkeypatch):
    """Return the parameters to fall back to after each epoch, and at the end, by n_iter_."""
    seen = {}

    def end_epoch(self, run, reason, original=FitObserver.end_epoch):
        result = original(self, run, reason)
        seen.setdefault(self.last["n_iter"], []).append(self.last["params"])
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
def test_a_fault_at_any_line_leaves_the_estimator_consistent(situation, monkeypatch):
    make, call = SITUATIONS[situation]
    epochs = epochs_of(make, call, monkeypatch)
    model = make()
    n_lines = run_with_fault(lambda: call(model), None)
    assert n_lines > 300
    assert_array_equal(model.params_, epochs[model.n_iter_][-1])
    threads = threadpool_info()
    step = max(1, n_lines // N_POINTS) if N_POINTS else 1
    changed = 0
    untouched = make()
    for at in range(1, n_lines + 1, step):
        model = copy.deepcopy(untouched)
        before = visible_state(model)
        run_with_fault(lambda m=model: call(m), at)
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
