"""scikit-learn's callbacks, where scikit-learn has them (1.9 and newer)."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from helpers import ESTIMATORS, both
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
)
REASON = "callbacks came with scikit-learn 1.9"


@pytest.fixture(params=ESTIMATORS)
def model(request):
    return request.param(hidden_layer_sizes=8, max_iter=4, learning_rate_init=0.01, random_state=0)


def digits(n=300):
    X, y = load_digits(return_X_y=True)
    return X[:n] / 16, y[:n]


class Recorder:
    """Records what it is told, and asks to stop after some epochs."""

    max_estimator_depth = None

    def __init__(self, stop_after=np.inf):
        self.stop_after, self.scores, self.ended, self.torn_down = stop_after, [], 0, 0

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        if context.task_name == "epoch":
            self.scores.append(fitted_estimator.score(X, y))
            return len(self.scores) >= self.stop_after
        self.ended += 1
        return False

    def teardown(self, estimator, context):
        self.torn_down += 1


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_callback_sees_each_epoch_and_may_stop(model, solver):
    pytest.importorskip("sklearn.callback", reason=REASON)
    X, y = digits()
    recorder = Recorder(stop_after=3)
    model.set_params(solver=solver).set_callbacks(recorder).fit(X, y)
    assert model.n_iter_ == len(recorder.scores) == 3
    assert (recorder.ended, recorder.torn_down) == (1, 1)
    assert recorder.scores[-1] == model.score(X, y)
    assert recorder.scores[0] < recorder.scores[-1]


@both
def test_a_callback_may_stop_the_pilot_run(Estimator):
    pytest.importorskip("sklearn.callback", reason=REASON)
    X, y = digits()
    recorder = Recorder(stop_after=6)
    model = Estimator(hidden_layer_sizes=8, random_state=0).set_callbacks(recorder).fit(X, y)
    assert model.n_iter_ == len(recorder.scores) == 6
    best = 1 + int(np.argmin(model.history_["validation_loss"]))
    assert model.t_ == best * 240  # four fifths of the rows
    assert (recorder.ended, recorder.torn_down) == (1, 1)
    assert model.score(X, y) == recorder.scores[best - 1]


def test_a_callback_sees_calibrated_quantiles():
    pytest.importorskip("sklearn.callback", reason=REASON)
    X, y = digits()
    recorder = Recorder()
    model = NumpyMLPRegressor("quantile", 8, quantile=0.9, effort=0.3, random_state=0)
    model.set_callbacks(recorder).fit(X, y)
    assert model.history_["phase"][-1] == "fit"
    assert recorder.scores[-1] == model.score(X, y)


class Counter(Recorder):
    """Counts the subtasks that are announced and that begin, by the name of the task."""

    def setup(self, estimator, context):
        self.announced, self.begun = {}, {}

    def on_fit_task_begin(self, estimator, context):
        self.announced[context.task_name] = context.max_subtasks
        self.begun[context.task_name] = self.begun.get(context.task_name, 0) + 1

    def on_fit_task_end(self, estimator, context):
        return False


@pytest.mark.parametrize("noise", [False, True])
def test_the_announced_number_of_epochs_covers_all_phases(noise):
    pytest.importorskip("sklearn.callback", reason=REASON)
    rng = np.random.RandomState(0)
    X, labels = rng.randn(2000, 10), rng.randint(2, size=2000)
    counter = Counter()
    model = NumpyMLPClassifier(64, random_state=0).set_callbacks(counter)
    model.fit(X, labels if noise else X[:, 0] > 0)
    assert counter.announced == {"fit": model.settings_["max_iter"], "epoch": 0}
    assert counter.begun["epoch"] == model.n_iter_ <= model.settings_["max_iter"]
    assert ("second pilot" in model.history_["phase"]) == noise


def test_a_long_epoch_has_parts(model, monkeypatch):
    pytest.importorskip("sklearn.callback", reason=REASON)
    monkeypatch.setattr("sknumpynet.core.training.MULTIPLICATIONS", 1)
    monkeypatch.setattr("sknumpynet.core.training.MOST_PARTS", 10)
    counter = Counter()
    model.set_params(batch_size=10, max_iter=2).set_callbacks(counter).fit(*digits())
    assert counter.announced == {"fit": 2, "epoch": 10, "part": 0}
    assert counter.begun == {"fit": 1, "epoch": 2, "part": 2 * 9}  # the last ends with the epoch


def test_callbacks_are_torn_down_when_fit_fails(model):
    pytest.importorskip("sklearn.callback", reason=REASON)
    X, y = digits()
    recorder = Recorder()
    with pytest.raises(ValueError, match="learning_rate_init"):
        model.set_params(learning_rate_init=1e30).set_callbacks(recorder).fit(X, y)
    assert recorder.torn_down == 1


class Saver(Recorder):
    """Saves the estimator after each epoch, as another thread may do."""

    def setup(self, estimator, context):
        self.names = set()

    def on_fit_task_end(self, estimator, context):
        self.names |= vars(pickle.loads(pickle.dumps(estimator))).keys()
        return False


def test_a_model_that_is_saved_during_fit_has_no_attributes_of_the_call(model):
    pytest.importorskip("sklearn.callback", reason=REASON)
    saver = Saver()
    model.set_callbacks(saver).fit(*digits())
    assert {"_skl_callbacks", "hidden_layer_sizes"} <= saver.names <= vars(model).keys()


def test_scoring_monitor_through_pipeline_and_grid_search(model):
    callback = pytest.importorskip("sklearn.callback", reason=REASON)
    X, y = digits(600)  # with fewer rows the pilot run is cross-validated, and not monitored
    is_regressor = isinstance(model, NumpyMLPRegressor)
    scoring, least = ("r2", -np.inf) if is_regressor else ("accuracy", 0)
    monitor = callback.ScoringMonitor(scoring=scoring)
    model.set_callbacks(monitor)
    pipeline = make_pipeline(MinMaxScaler(), model)
    GridSearchCV(pipeline, {f"{pipeline.steps[-1][0]}__alpha": [1e-4, 1.0]}, cv=2).fit(X, y)
    logs = monitor.get_logs()
    logs = logs if isinstance(logs, list) else [logs]
    scores = [row[scoring] for log in logs for row in log.data]
    # Two candidates in two folds, and the refit: each of 4 epochs and the whole.
    assert len(scores) >= 4 * 5
    assert least < min(scores) <= max(scores) <= 1


def test_progress_bar_through_grid_search(model, capsys):
    callback = pytest.importorskip("sklearn.callback", reason=REASON)
    pytest.importorskip("rich", reason="ProgressBar needs rich")
    X, y = digits()
    search = GridSearchCV(model, {"alpha": [1e-4, 1.0]}, cv=2)
    search.set_callbacks(callback.ProgressBar()).fit(X, y)
    assert type(model).__name__ in capsys.readouterr().out


def test_without_callbacks_in_scikit_learn_everything_else_works():
    code = """
import numpy as np
try:
    import sklearn.callback
    del sklearn.callback.with_callbacks  # as in scikit-learn 1.8: importing it fails
except ImportError:
    pass
from sknumpynet import NumpyMLPClassifier
model = NumpyMLPClassifier(4, max_iter=2, verbose=1).fit(np.eye(40), np.arange(40) % 2)
assert model.set_callbacks() is model
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.startswith("Iteration 1 of 2 (pilot run), loss = ")
