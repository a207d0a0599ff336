"""A killed fit goes on from its checkpoint, and ends as if it had never been killed."""

import io
import os
import pickle
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from helpers import ESTIMATORS, predictions
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_array_equal, assert_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from sknumpynet import Checkpoint, NumpyMLPClassifier, NumpyMLPRegressor
from sknumpynet.fit.files import from_bytes, hash_of, last_saved, to_bytes
from sknumpynet.fit.observer import SUPPORTED, FitObserver

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_digits(return_X_y=True)
X, y = X[:300] / 16, y[:300]
rng = np.random.RandomState(0)
noise = rng.randint(2, size=300)
flipped = np.where(np.random.RandomState(1).rand(300) < 0.3, noise, y < 5)
collinear = 10 * rng.randn(300, 1) + 0.1 * X  # all features rise and fall together
wide = np.hstack([X, rng.randn(300, 400)])


class Killed(BaseException):
    """Ends a fit, and is caught by nobody."""


def fit(model, *data, killed_after=np.inf, **options):
    """Fit, and kill the fit after some epochs; return how many there were."""
    n_epochs = 0

    def end_epoch(self, run, reason, original=FitObserver.end_epoch):
        nonlocal n_epochs
        result = original(self, run, reason)
        n_epochs += 1
        if n_epochs == killed_after:
            raise Killed
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FitObserver, "end_epoch", end_epoch)
        with suppress(Killed):
            model.fit(*data, **options)
    return n_epochs


def result_of(model):
    """Return all that a fit has determined, but for the seconds that it took."""
    state = {k: v for k, v in vars(model).items() if k not in ("random_state", "_skl_callbacks")}
    return {**state, "history_": {**model.history_, "seconds": None}}


SETTINGS = {
    "the network goes on after the pilot run": ({"effort": 0.15}, X, y),
    "training starts again": ({"hidden_layer_sizes": 64, "learning_rate_init": 0.02}, X, flipped),
    "a second pilot run, with larger features": ({"effort": 0.1}, X, noise),
    "a second pilot run, in another basis": ({"effort": 0.1}, collinear, y < 5),
    "wide data": ({"effort": 0.15}, wide, y),
    "early stopping": (
        {"early_stopping": True, "preset": "sklearn", "max_iter": 25, "tol": 0.02, "dropout": 0.2},
        X,
        y,
    ),
    "adaptive": (
        {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.1, "n_iter_no_change": 2},
        X,
        y,
    ),
    "numbers": ({"loss": "squared_error", "effort": 0.15}, X, X[:, :3] @ [1, 20, 300]),
    "quantiles of noise": (
        {"loss": "quantile", "quantile": [0.1, 0.9], "hidden_layer_sizes": 64},
        X,
        rng.randn(300),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_a_fit_that_is_killed_after_any_epoch_ends_as_if_it_had_not_been(name, tmp_path):
    settings, X, labels = SETTINGS[name]
    settings = {"hidden_layer_sizes": 8, "max_iter": 25, "random_state": 3, **settings}
    Estimator = NumpyMLPRegressor if "loss" in settings else NumpyMLPClassifier
    whole = Estimator(**settings)
    n_epochs = fit(whole, X, labels)
    assert n_epochs > 10
    phases = whole.history_["phase"]
    assert ("second pilot" in phases) == name.startswith("a second pilot run")
    if name == "training starts again":
        assert whole.t_ == 300 * phases.count("fit")
    for k in range(1, n_epochs + 1):
        checkpoint = Checkpoint(tmp_path / str(k), every_epochs=1)
        killed = Estimator(**settings).set_callbacks(checkpoint)
        assert fit(killed, X, labels, killed_after=k) == k
        resumed = Estimator(**settings).set_callbacks(checkpoint)
        assert fit(resumed, X, labels) == n_epochs - k
        assert_equal(result_of(resumed), result_of(whole))


# Trains, and kills itself some seconds after a certain epoch was printed.
PROGRAM = """
import os, signal, sys
from contextlib import redirect_stdout
from threading import Timer
import numpy as np
from sklearn.datasets import load_digits
from sknumpynet import Checkpoint, NumpyMLPClassifier
path, result, epoch, seconds = sys.argv[1:]

class Output:
    def write(self, text):
        if text.startswith("Iteration ") and int(text.split()[1]) >= int(epoch) > 0:
            Timer(float(seconds), os.kill, (os.getpid(), signal.SIGKILL)).start()
        return sys.__stdout__.write(text)

X, y = load_digits(return_X_y=True)
model = NumpyMLPClassifier((64, 32), dropout=0.1, random_state=0, effort=0.5, verbose=1)
with redirect_stdout(Output()):
    model.set_callbacks(Checkpoint(path, every_epochs=1)).fit(X / 16, y)
np.save(result, model.params_)
"""


@pytest.mark.slow
def test_a_process_that_is_killed_again_and_again_ends_with_the_same_bits(tmp_path, long_profile):
    def run(name, epoch=0, seconds=0.0):
        command = [sys.executable, "-u", "-c", PROGRAM, str(tmp_path / name)]
        command += [str(tmp_path / f"{name}.npy"), str(epoch), str(seconds)]
        return subprocess.run(command, capture_output=True, text=True)

    rng, n_kills = np.random.RandomState(0), 20 if long_profile else 3
    # 50 epochs of the pilot run, and 13 on all rows.
    for epoch in np.linspace(1, 58, n_kills).astype(int):
        killed = run("killed", epoch, rng.rand() * 0.02)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert "(pilot run)" not in killed.stdout.splitlines()[-1]
    for name in ("killed", "whole"):
        ended = run(name)
        assert ended.returncode == 0, ended.stderr
        assert ("Going on after epoch" in ended.stdout) == (name == "killed")
    assert_array_equal(np.load(tmp_path / "killed.npy"), np.load(tmp_path / "whole.npy"))


@pytest.fixture(params=ESTIMATORS)
def model(tmp_path, request):
    """Return an estimator whose checkpoints are in ``tmp_path / "run"``."""
    settings = {"hidden_layer_sizes": 4, "max_iter": 8, "random_state": 0}
    return request.param(**settings).set_callbacks(Checkpoint(tmp_path / "run", 1))


def test_checkpoints_change_no_bit(model):
    bare = clone(model).set_callbacks()
    assert_equal(result_of(model.fit(X, y)), result_of(bare.fit(X, y)))


def test_a_complete_run_is_not_trained_again(model):
    before = result_of(model.fit(X, y))
    assert fit(model, X, y) == 0
    assert_equal(result_of(model), before)


def test_a_run_without_a_seed_goes_on(model, tmp_path):
    model.random_state = None
    assert fit(model, X, y, killed_after=3) == 3
    start = last_saved(tmp_path / "run")["start"]["params"]
    twin = clone(model)
    assert fit(twin, X, y) == 5
    assert_array_equal(last_saved(tmp_path / "run")["start"]["params"], start)


def test_a_stream_of_the_users_ends_where_it_would_have(model, tmp_path):
    model.random_state = np.random.RandomState(7)
    fit(model, X, y, killed_after=3)
    again, whole = np.random.RandomState(7), np.random.RandomState(7)
    fit(model.set_params(random_state=again), X, y)
    fit(clone(model).set_callbacks().set_params(random_state=whole), X, y)
    assert_equal(again.get_state(legacy=False), whole.get_state(legacy=False))


def test_validation_data_of_the_users_are_part_of_the_run(model):
    model.early_stopping = True
    options = {"X_val": X[:50], "y_val": y[:50]}
    fit(model, X, y, killed_after=3, **options)
    with pytest.raises(ValueError, match=r"differs in X_val \("):
        model.fit(X, y, X_val=X[:50] / 2, y_val=y[:50])
    with pytest.raises(ValueError, match=r"differs in X_val .*, y_val .* in the checkpoint <"):
        model.fit(X, y)
    resumed, whole = clone(model), clone(model).set_callbacks()
    assert fit(resumed, X, y, **options) == 5
    assert_equal(result_of(resumed), result_of(whole.fit(X, y, **options)))


def metric(estimator, X, y):
    return estimator.score(X, y)


CHANGES = {
    "X": lambda m: (m, (X + 1e-9, y)),
    "y": lambda m: (m, (X, y[::-1])),
    "classes": lambda m: (m, (X, y.astype(str))),
    "sample_weight or class_weight": lambda m: (m, (X, y, np.ones(300))),
    "random_state": lambda m: (m.set_params(random_state=1), (X, y)),
    "dropout": lambda m: (m.set_params(dropout=0.1), (X, y)),
    "max_iter": lambda m: (m.set_params(max_iter=9), (X, y)),
    "scoring": lambda m: (m.set_params(scoring=metric), (X, y)),
    "hidden_layer_sizes": lambda m: (m.set_params(hidden_layer_sizes=5), (X, y)),
    "loss": lambda m: (m.set_params(loss="huber"), (X, y)),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_checkpoint_of_another_run_is_refused(model, tmp_path, what):
    if what == ("classes" if isinstance(model, NumpyMLPRegressor) else "loss"):
        pytest.skip("the other estimator has them")
    fit(model, X, y, killed_after=3)
    before = {path: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    other, data = CHANGES[what](clone(model))
    with pytest.raises(ValueError, match="has checkpoints of another run") as caught:
        other.fit(*data)
    assert f" {what}" in str(caught.value)
    assert not hasattr(other, "params_")
    assert {path: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before


def test_a_checkpoint_of_another_version_is_refused(model, monkeypatch):
    fit(model, X, y, killed_after=3)
    monkeypatch.setattr("sknumpynet.versioning.__version__", "99.0")
    with pytest.raises(ValueError, match=r"differs in sknumpynet \(now 99.0, in the checkpoint "):
        model.fit(X, y)


def test_a_checkpoint_of_another_version_may_have_another_form(model, tmp_path):
    fit(model, X, y, killed_after=3)
    saved = with_item(last_saved(tmp_path / "run"), "0.9", "identity", "sknumpynet")
    content = to_bytes(without(saved, "reason"))
    (tmp_path / "run" / f"epoch-9-{hash_of(content)}.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"differs in sknumpynet \(now .*, in the checkpoint 0.9"):
        model.fit(X, y)


def test_what_does_not_matter_may_differ(model):
    fit(model, X, y, killed_after=3)
    assert fit(model.set_params(verbose=0, max_time=1000), np.asfortranarray(X), y.tolist()) == 5


def test_a_warm_start_is_another_run(model, tmp_path):
    model.set_params(warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="the network to be trained further"):
        model.fit(X, y)
    twin = pickle.loads(pickle.dumps(model))
    whole = pickle.loads(pickle.dumps(model)).set_callbacks().fit(X, y)
    for part in (model, twin):
        part.set_callbacks(Checkpoint(tmp_path / "second", every_epochs=1))
    fit(model, X, y, killed_after=3)
    assert fit(twin, X, y) == whole.n_iter_ - 3
    assert_equal(result_of(twin), result_of(whole))


def test_a_scorer_of_the_same_code_goes_on_and_another_one_of_the_same_name_is_refused(model):
    fit(model.set_params(scoring=lambda *_: 1.0, early_stopping=True), X, y, killed_after=3)
    with pytest.raises(ValueError, match=r"another run, which differs in scoring \(now <\w+>, in"):
        model.set_params(scoring=lambda *_: 2.0).fit(X, y)
    assert fit(model.set_params(scoring=lambda *_: 1.0), X, y) == 5


def test_a_scorer_that_cannot_be_compared_is_refused_before_training(model, tmp_path):
    lock = threading.Lock()
    model.set_params(scoring=lambda *_: lock is None, early_stopping=True)
    with pytest.raises(ValueError, match=r"scoring=<function .* is not accepted with a Checkpoint"):
        model.fit(X, y)
    assert not list(tmp_path.iterdir())


def test_sparse_data_of_more_columns_are_another_run(model):
    model.random_state = None
    fit(model, sparse.csr_array(X), y, killed_after=3)
    wider = sparse.csr_array(X)
    wider.resize(300, 65)
    with pytest.raises(ValueError, match=r"another run, which differs in X \("):
        model.fit(wider, y)


# --- files -----------------------------------------------------------------------------------


def epochs_on_disk(directory):
    return sorted(int(path.name.split("-")[1]) for path in Path(directory).iterdir())


@pytest.mark.parametrize("keep", [1, 2, 5])
def test_the_last_checkpoints_are_kept(model, tmp_path, keep):
    model.set_callbacks(Checkpoint(tmp_path / "run", every_epochs=1, keep=keep)).fit(X, y)
    assert epochs_on_disk(tmp_path / "run") == list(range(9 - keep, 9))


def test_a_checkpoint_every_few_epochs_and_at_the_end_of_a_phase(model, tmp_path):
    model.set_callbacks(Checkpoint(tmp_path / "run", every_epochs=4, keep=9)).fit(X, y)
    # The pilot run has 6 epochs, and 2 on all rows follow.
    assert model.history_["phase"] == ["pilot"] * 6 + ["fit"] * 2
    assert epochs_on_disk(tmp_path / "run") == [4, 6, 8]


def test_a_checkpoint_every_few_seconds(model, tmp_path, monkeypatch, clock):
    def end_epoch(self, run, reason, original=FitObserver.end_epoch):
        clock.now += 10
        return original(self, run, reason)

    monkeypatch.setattr(FitObserver, "end_epoch", end_epoch)
    model.set_callbacks(Checkpoint(tmp_path / "run", every_seconds=25, keep=9)).fit(X, y)
    assert epochs_on_disk(tmp_path / "run") == [3, 6, 8]


@pytest.mark.parametrize("spoil", ["cut", "empty", "flip"])
def test_a_damaged_checkpoint_is_ignored_with_a_warning(model, tmp_path, spoil):
    whole = clone(model).set_callbacks().fit(X, y)
    fit(model, X, y, killed_after=4)
    _, last = sorted((tmp_path / "run").iterdir(), key=lambda path: path.name)
    content = last.read_bytes()
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 1
    last.write_bytes({"cut": content[:-1], "empty": b"", "flip": bytes(flipped)}[spoil])
    with pytest.warns(UserWarning, match=f"{last.name} is damaged and therefore ignored"):
        assert fit(model, X, y) == 5
    assert_equal(result_of(model), result_of(whole))
    assert epochs_on_disk(tmp_path / "run") == [7, 8]


def test_if_all_checkpoints_are_damaged_nothing_starts_anew_silently(model, tmp_path):
    fit(model, X, y, killed_after=4)
    for path in (tmp_path / "run").iterdir():
        path.write_bytes(b"")
    with pytest.warns(UserWarning, match="is damaged"), pytest.raises(ValueError, match="path to"):
        model.fit(X, y)


def test_other_files_in_the_directory_are_left_alone(model, tmp_path):
    (tmp_path / "run").mkdir()
    names = {"notes.npz", "epoch-7.npz", "epoch-7.tmp", "epoch-7-notes.tmp"}
    for name in names:
        (tmp_path / "run" / name).write_bytes(b"mine")
    model.fit(X, y)
    kept = {path.name for path in (tmp_path / "run").iterdir()}
    assert names < kept
    assert len(kept) == 6


def test_on_a_full_disk_training_goes_on_and_the_last_checkpoint_stays(model, tmp_path):
    whole = clone(model).set_callbacks().fit(X, y)
    fit(model, X, y, killed_after=4)
    before = epochs_on_disk(tmp_path / "run")
    resource = pytest.importorskip("resource", reason="this system has no limits of file sizes")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        with pytest.warns(UserWarning, match="No checkpoint could be written"):
            model.fit(X, y)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert_equal(result_of(model), result_of(whole))
    assert epochs_on_disk(tmp_path / "run") == before == [3, 4]
    assert last_saved(tmp_path / "run") is not None


def test_a_directory_that_cannot_be_made_is_an_error_before_training(model, tmp_path):
    (tmp_path / "file").write_text("")
    model.set_callbacks(Checkpoint(tmp_path / "file" / "run"))
    with pytest.raises(OSError, match="Not a directory"):
        model.fit(X, y)


class Malicious:
    """An object whose loading runs code."""

    def __reduce__(self):
        return pytest.fail, ("code of the file was run",)


def test_loading_a_checkpoint_runs_no_code(model, tmp_path):
    fit(model, X, y, killed_after=4)
    for path in (tmp_path / "run").iterdir():
        path.unlink()
    content = to_bytes({"identity": np.array([Malicious()], object)})
    (tmp_path / "run" / f"epoch-9-{hash_of(content)}.npz").write_bytes(content)
    with pytest.warns(UserWarning, match="is damaged"), pytest.raises(ValueError, match="damaged"):
        model.fit(X, y)


def with_item(saved, value, *path):
    """Return a checkpoint's content with another item at a path of keys."""
    changed = dict(saved)
    changed[path[0]] = with_item(saved[path[0]], value, *path[1:]) if path[1:] else value
    return changed


def without(saved, name):
    return {key: value for key, value in saved.items() if key != name}


def bytes_of_npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


FOREIGN = {
    "empty": lambda saved: b"",
    "text": lambda saved: b"notes of mine",
    "JSON": lambda saved: b"{}",
    "pickle": lambda saved: pickle.dumps(saved),
    "array": lambda saved: bytes_of_npz(x=np.ones(3))[:-1],
    "other archive": lambda saved: bytes_of_npz(x=np.ones(3)),
    "archive of a number": lambda saved: bytes_of_npz(json=np.frombuffer(b"3", np.uint8)),
    "archive of no JSON": lambda saved: bytes_of_npz(json=np.frombuffer(b"{", np.uint8)),
    "array that is missing": lambda saved: bytes_of_npz(
        json=np.frombuffer(b'{"state": {"array": "array_7"}}', np.uint8)
    ),
    "list": lambda saved: to_bytes([saved]),
    "dict": lambda saved: to_bytes({}),
    "no start": lambda saved: to_bytes(without(saved, "start")),
    "no reason": lambda saved: to_bytes(without(saved, "reason")),
    "more items": lambda saved: to_bytes({**saved, "more": 1}),
    "number as the reason": lambda saved: to_bytes({**saved, "reason": 1}),
    "identity of lists": lambda saved: to_bytes(
        {**saved, "identity": {**saved["identity"], "X": []}}
    ),
    "config without alpha": lambda saved: to_bytes(
        {**saved, "config": without(saved["config"], "alpha")}
    ),
    "state without optimizer": lambda saved: to_bytes(
        {**saved, "state": without(saved["state"], "optimizer")}
    ),
    "state of another network": lambda saved: to_bytes(
        with_item(saved, np.ones(3), "state", "params")
    ),
    "NaN in params": lambda saved: to_bytes(
        with_item(saved, saved["state"]["params"] * np.nan, "state", "params")
    ),
    "NaN in the params of the start": lambda saved: to_bytes(
        with_item(saved, saved["start"]["params"] * np.nan, "start", "params")
    ),
    "params in a list": lambda saved: to_bytes(
        with_item(saved, saved["state"]["params"].tolist(), "state", "params")
    ),
    "moments of another network": lambda saved: to_bytes(
        with_item(saved, np.ones(3), "state", "optimizer", "M")
    ),
    "basis of numbers": lambda saved: to_bytes(with_item(saved, [1.0, 2.0], "state", "basis")),
    "basis of other features": lambda saved: to_bytes(
        with_item(saved, [np.ones(3), np.ones((2, 1))], "state", "basis")
    ),
    "pilot run without a state": lambda saved: to_bytes({**saved, "pilot": {"reason": None}}),
    "temperature": lambda saved: to_bytes(with_item(saved, np.nan, "state", "temperature")),
    "text as a number": lambda saved: to_bytes(with_item(saved, "3", "state", "samples_seen")),
    "history of different lengths": lambda saved: to_bytes(
        with_item(saved, [], "state", "history", "loss")
    ),
    "history without a column": lambda saved: to_bytes(
        with_item(saved, without(saved["state"]["history"], "loss"), "state", "history")
    ),
    "no random stream": lambda saved: to_bytes(with_item(saved, {}, "state", "random_state")),
}


def test_a_checkpoint_can_be_written_again(model, tmp_path):
    fit(model, X, y, killed_after=4)
    saved = last_saved(tmp_path / "run")
    content = to_bytes(saved)
    (tmp_path / "run" / f"epoch-9-{hash_of(content)}.npz").write_bytes(content)
    assert_equal(last_saved(tmp_path / "run"), saved)


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_no_checkpoint_is_damaged_whatever_its_name(model, tmp_path, name):
    whole = clone(model).set_callbacks().fit(X, y)
    fit(model, X, y, killed_after=4)
    content = FOREIGN[name](last_saved(tmp_path / "run"))
    path = tmp_path / "run" / f"epoch-9-{hash_of(content)}.npz"
    path.write_bytes(content)
    with pytest.warns(UserWarning, match=f"{path.name} is damaged and therefore ign") as caught:
        assert fit(model, X, y) == 4
    assert len(caught) == 1
    assert_equal(result_of(model), result_of(whole))


def test_a_lack_of_memory_does_not_make_a_checkpoint_damaged(model, tmp_path, monkeypatch):
    def fail(content):
        raise MemoryError

    fit(model, X, y, killed_after=4)
    monkeypatch.setattr("sknumpynet.fit.files.from_bytes", fail)
    with pytest.raises(MemoryError):
        model.fit(X, y)


def test_a_relative_path_is_that_of_the_directory_in_which_the_checkpoint_was_made(
    model, tmp_path, monkeypatch
):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "first")
    model.set_callbacks(Checkpoint("run", every_epochs=1))

    def change_directory(estimator, X, y):
        os.chdir(tmp_path / "second")
        return 1.0

    fit(model.set_params(scoring=change_directory, early_stopping=True), X, y, killed_after=3)
    os.chdir(tmp_path / "second")
    assert fit(model, X, y) == 5
    assert [path.name for path in (tmp_path / "first").iterdir()] == ["run"]
    assert not list((tmp_path / "second").iterdir())


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
ARRAYS = hnp.arrays(st.sampled_from(["f4", "f8", "u4", "i8"]), hnp.array_shapes(max_dims=2))
TEXTS = st.text().filter(lambda text: text != "array")


@given(
    st.recursive(
        SCALARS | ARRAYS,
        lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
        max_leaves=10,
    )
)
def test_what_is_read_is_what_was_written(content):
    assert_equal(from_bytes(to_bytes(content)), content)


# --- how it is given -------------------------------------------------------------------------


def test_in_a_pipeline(model, tmp_path):
    whole = make_pipeline(MinMaxScaler(), clone(model).set_callbacks()).fit(X, y)
    pipeline = make_pipeline(MinMaxScaler(), model)
    fit(pipeline, X, y, killed_after=3)
    assert fit(clone(pipeline), X, y) == 5
    assert_array_equal(predictions(pipeline.fit(X, y), X), predictions(whole, X))


WRONG = [
    ("path", None),
    ("path", 3),
    ("every_epochs", 0),
    ("every_epochs", 1.5),
    ("keep", 0),
    ("keep", None),
]


@pytest.mark.parametrize(("name", "value"), [*WRONG, ("every_seconds", 0), ("every_seconds", "1")])
def test_a_wrong_argument_is_named(name, value):
    with pytest.raises(ValueError, match=f"{name}={value!r} is not accepted: {name} must be "):
        Checkpoint(**{"path": "run", name: value})


def test_lbfgs_and_a_second_checkpoint_are_refused(model, tmp_path):
    with pytest.raises(ValueError, match="'lbfgs' none"):
        clone(model).set_params(solver="lbfgs").fit(X, y)
    with pytest.raises(ValueError, match="one Checkpoint"):
        model.set_callbacks(Checkpoint("a"), Checkpoint("b")).fit(X, y)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not SUPPORTED, reason="callbacks came with scikit-learn 1.9")
def test_a_pipeline_does_not_swallow_a_checkpoint(model, tmp_path):
    pipeline = make_pipeline(MinMaxScaler(), model.set_callbacks())
    with pytest.raises(TypeError, match="Pipeline does not support Checkpoint"):
        pipeline.set_callbacks(Checkpoint(tmp_path / "run")).fit(X, y)


@pytest.mark.skipif(SUPPORTED, reason="this scikit-learn has callbacks")
def test_before_scikit_learn_has_callbacks_others_are_refused(model):
    with pytest.raises(TypeError, match=r"before scikit-learn 1\.9"):
        model.set_callbacks(print)


class StopAfterThree:
    """A callback that asks to stop after the third epoch."""

    def setup(self, estimator, context):
        pass

    teardown = on_fit_task_begin = setup

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        return fitted_estimator.n_iter_ >= 3


@pytest.mark.skipif(not SUPPORTED, reason="callbacks came with scikit-learn 1.9")
def test_a_run_that_a_callback_has_stopped_is_complete(model, tmp_path):
    whole = clone(model).set_callbacks(StopAfterThree()).fit(X, y)
    assert whole.n_iter_ == 3 < whole.history_["phase"].count("pilot") + 1
    model.set_callbacks(StopAfterThree(), Checkpoint(tmp_path / "run", every_epochs=1))
    assert [fit(model, X, y), fit(model, X, y)] == [3, 0]
    assert_equal(result_of(model), result_of(whole))
