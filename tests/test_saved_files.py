"""Saved models: skops' list of trusted types, spoilt files, full disks, and files of old releases.

What may kill or damage the process runs in another one, started by `in_process`.
"""

import errno
import io
import json
import os
import pickle
import random
import signal
import subprocess
import sys
import warnings
import zipfile
from functools import partial
from pathlib import Path
from time import perf_counter, sleep

import joblib
import numpy as np
import pandas as pd
import pytest
from helpers import ESTIMATORS, both, predictions, streamed
from numpy.testing import assert_array_equal, assert_equal
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from skops import io as skops

from sknumpynet import NumericalEncoder, NumpyMLPClassifier, NumpyMLPRegressor, TabularEncoder

DATA = Path(__file__).parent / "data"
CLASSIFIER = "sknumpynet.classifier.NumpyMLPClassifier"
REGRESSOR = "sknumpynet.regressor.NumpyMLPRegressor"
ENCODER = "sknumpynet.preprocessing.NumericalEncoder"
MAP = "joblib, memory map"
LOOPS, ROOM = 12, 2**28

rng = np.random.RandomState(0)
X = rng.randn(60, 3)
y = (X[:, 0] > 0).astype(int)
names = np.array(["no", "yes"])[y]
frame = pd.DataFrame(X, columns=["a", "b", "c"])

needs_limits = pytest.mark.skipif(
    sys.platform != "linux", reason="the limits of processes are those of Linux"
)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def new(Estimator=NumpyMLPClassifier, **settings):
    quick = {"hidden_layer_sizes": 4, "learning_rate_init": 0.01, "max_iter": 3, "random_state": 0}
    return Estimator(**quick | settings)


numbers = partial(new, NumpyMLPRegressor)


def loaded_by_skops(data, *types):
    return skops.loads(data, trusted=list(types))


STATES = {
    "unfitted": lambda: new(),
    "fit": lambda: new().fit(X, y),
    "pilot run": lambda: new(max_iter="auto", effort=0.1).fit(X, y),
    "partial_fit": lambda: new().partial_fit(X, y, classes=[0, 1]),
    "partial_fit by sgd": lambda: new(solver="sgd").partial_fit(X, y, classes=[0, 1]),
    "partial_fit after fit": lambda: new().fit(X, y).partial_fit(X, y),
    "warm_start": lambda: new(warm_start=True).fit(X, y).fit(X, y),
    "early_stopping": lambda: new(early_stopping=True).fit(X, y),
    "validation data": lambda: new(scoring="roc_auc").fit(X, y, X_val=X, y_val=y),
    "sgd": lambda: new(solver="sgd", n_iter_no_change=np.inf, dropout=0.1).fit(X, y),
    "lbfgs": lambda: new(solver="lbfgs").fit(X, y),
    "preset sklearn": lambda: new(preset="sklearn").fit(X, y),
    "class weights": lambda: new(class_weight={"no": 1, "yes": 2.5}).fit(X, names),
    "balanced": lambda: new(class_weight="balanced").partial_fit(X, y, classes=[0, 1]),
    "NumPy's numbers": lambda: new(
        alpha=np.float32(0.1), max_iter=np.int64(2), class_weight=dict(enumerate(np.ones(2)))
    ).fit(X, y),
    "strings": lambda: new().fit(X, names),
    "objects": lambda: new().fit(X, names.astype(object)),
    "booleans": lambda: new().fit(X, y > 0),
    "names of features": lambda: new().fit(frame, y),
    "nullable labels": lambda: new().fit(frame, pd.Series(y, dtype="Int64")),
    "categories": lambda: new().fit(frame, pd.Series(names, dtype="category")),
    "RandomState": lambda: new(random_state=np.random.RandomState(3)).fit(X, y),
    "RandomState, partial_fit": lambda: new(random_state=np.random.RandomState(3)).partial_fit(
        X, y, classes=[0, 1]
    ),
    "multilabel": lambda: new().fit(X, np.c_[y, 1 - y]),
    "three classes": lambda: new(hidden_layer_sizes=(4, 3)).fit(X, y + (X[:, 1] > 0)),
    "numbers, unfitted": lambda: numbers(),
    "numbers": lambda: numbers().fit(X, X[:, 0]),
    "numbers, pilot run": lambda: numbers(max_iter="auto", effort=0.1).fit(frame, X[:, 0]),
    "numbers, partial_fit": lambda: numbers(loss="huber").partial_fit(X, X[:, 0]),
    "numbers, warm_start": lambda: numbers(warm_start=True).fit(X, X).fit(X, X),
    "numbers, early_stopping": lambda: numbers(early_stopping=True).fit(X, X[:, 0]),
    "numbers, sklearn": lambda: numbers(loss="poisson", preset="sklearn").fit(X, y),
    "quantiles": lambda: numbers(loss="quantile", quantile=np.array([0.1, 0.9])).fit(X, X[:, 0]),
}


@pytest.mark.parametrize("state", STATES)
def test_skops_has_one_type_to_trust(state):
    model = STATES[state]()
    data, kind = skops.dumps(model), CLASSIFIER
    if isinstance(model, NumpyMLPRegressor):
        kind = REGRESSOR
    assert skops.get_untrusted_types(data=data) == [kind]
    loaded = loaded_by_skops(data, kind)
    assert skops.get_untrusted_types(data=skops.dumps(loaded)) == [kind]
    if state.endswith("unfitted"):
        assert repr(loaded) == repr(model)
        return
    table = frame if hasattr(model, "feature_names_in_") else X
    assert_array_equal(predictions(loaded, table), predictions(model, table))
    assert_array_equal(loaded.predict(table), model.predict(table))
    labels = X[:, 0] if state == "quantiles" else model.predict(table)
    for twin in (loaded, model):
        twin.set_params(early_stopping=False, solver="sgd" if state == "lbfgs" else twin.solver)
        for _ in range(2):
            twin.partial_fit(table, labels)
    assert_array_equal(loaded.params_, model.params_)
    assert loaded.loss_curve_ == model.loss_curve_


@pytest.mark.parametrize("n_bins", [0, 4])
@pytest.mark.parametrize("missing", [False, True])
def test_skops_has_one_type_to_trust_in_an_encoder(n_bins, missing):
    table = frame.mask(frame > 1) if missing else frame
    encoder = NumericalEncoder(n_bins).fit(table, y)
    data = skops.dumps(encoder)
    assert skops.get_untrusted_types(data=data) == [ENCODER]
    loaded = loaded_by_skops(data, ENCODER)
    assert_array_equal(loaded.transform(table), encoder.transform(table))
    assert_array_equal(loaded.get_feature_names_out(), encoder.get_feature_names_out())
    assert skops.get_untrusted_types(data=skops.dumps(loaded)) == [ENCODER]


def test_skops_has_two_types_to_trust_in_an_encoder_of_tables():
    table = frame.assign(d=[None, "u", "v"] * 20, e=[f"id {k % 25}" for k in range(60)])
    encoder = TabularEncoder().fit(table, y)
    data, types = skops.dumps(encoder), [ENCODER, ENCODER.replace("Numerical", "Tabular")]
    assert skops.get_untrusted_types(data=data) == types
    loaded = loaded_by_skops(data, *types)
    assert_array_equal(loaded.transform(table), encoder.transform(table))
    assert_array_equal(loaded.get_feature_names_out(), encoder.get_feature_names_out())


def test_skops_trusts_scikit_learns_part_of_a_pipeline():
    plain = make_pipeline(MinMaxScaler(), new()).fit(X, y)
    encoded = make_pipeline(NumericalEncoder(4), new()).fit(X, y)
    for model, types in ((plain, [CLASSIFIER]), (encoded, [CLASSIFIER, ENCODER])):
        data = skops.dumps(model)
        assert skops.get_untrusted_types(data=data) == types
        assert_array_equal(loaded_by_skops(data, *types).predict_proba(X), model.predict_proba(X))


def in_process(function, *arguments, timeout=120):
    """Run a function of this file in a process of its own; return what it returns."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", __file__, function.__name__, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, f"exit code {done.returncode}:\n{done.stderr}"
    return json.loads(done.stdout)


def saved(model, kind):
    """Return the bytes of a model's file."""
    if kind.startswith("skops"):
        method = zipfile.ZIP_DEFLATED if "compressed" in kind else zipfile.ZIP_STORED
        return skops.dumps(model, compression=method)
    file = io.BytesIO()
    joblib.dump(model, file, compress=3 if "compressed" in kind else 0)
    return file.getvalue()


def loaded(data, kind, path):
    """Return the model of a file; a memory map needs a path."""
    if kind.startswith("skops"):
        return loaded_by_skops(data, CLASSIFIER, REGRESSOR)
    if kind == MAP:
        path.write_bytes(data)
        return joblib.load(path, mmap_mode="r")
    return joblib.load(io.BytesIO(data))


KINDS = ["joblib", "joblib, compressed", "skops", "skops, compressed"]


def predicted_by_files(directory):
    """Load the models of a directory; return what each predicts, also when trained further."""
    results = []
    for path in sorted(Path(directory).iterdir()):
        model = loaded(path.read_bytes(), path.name.partition("-")[2], path)
        results.append([predictions(m, X).tolist() for m in (model, model.partial_fit(X, y))])
    return results


def test_models_predict_and_go_on_with_the_same_bits_in_another_process(tmp_path):
    expected = []
    for k, Estimator in enumerate(ESTIMATORS):
        model = streamed(new(Estimator, dropout=0.2), X, y)
        for kind in KINDS:
            (tmp_path / f"{k}-{kind}").write_bytes(saved(model, kind))
        results = [predictions(m, X).tolist() for m in (model, model.partial_fit(X, y))]
        expected += len(KINDS) * [results]
    assert in_process(predicted_by_files, tmp_path) == expected


END, BIT = "without its end", "with a wrong bit"
# One position in so many is tried, where that takes long, and each one of the last hundred.
STEPS = {"skops": 53, MAP: 7}


def spoil_files(profile, directory):
    """Load files that lack their end, or have a wrong bit; return what came of it.

    A file may ask for any amount of memory, so that is limited.
    """
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + ROOM
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    model, results = new().fit(X, names), {}
    before = pickle.dumps(model)
    for kind in (*KINDS, MAP):
        data = saved(model, kind)
        step = 1 if profile == "long" else STEPS.get(kind, 1)
        positions = [k for k in range(len(data)) if k % step == 0 or k >= len(data) - 100]
        random.seed(0)
        for change in (END, BIT):
            print(kind, change, file=sys.stderr)
            outcomes = {"error": [], "the same model": [], "another model": []}
            for position in positions:
                spoilt = bytearray(data)
                if change == END:
                    del spoilt[position:]
                else:
                    spoilt[position] ^= 1 << random.randrange(8)
                found = outcome(bytes(spoilt), kind, Path(directory) / "model", vars(model))
                outcomes[found].append(len(data) - position)
            results[f"{kind} {change}"] = outcomes
    assert pickle.dumps(model) == before
    return results


def outcome(data, kind, path, right):
    """Return what comes of loading a file, whose model should have the attributes `right`."""
    try:
        found = loaded(data, kind, path)
    except Exception:
        return "error"
    try:
        assert_equal(vars(found), right)
        assert found.params_.dtype == right["params_"].dtype
        return "the same model"
    except Exception:  # a comparison may fail in any way
        return "another model"


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory, long_profile):
    return in_process(
        spoil_files, "long" if long_profile else "ci", tmp_path_factory.mktemp("spoilt")
    )


@pytest.mark.slow
@needs_limits
@pytest.mark.parametrize("kind", [*KINDS, MAP])
def test_a_file_without_its_end_is_refused(spoilt, kind):
    outcomes = spoilt[f"{kind} {END}"]
    assert len(outcomes["error"]) > 100
    assert outcomes["another model"] == []
    # What a compressed file of joblib may lack is its checksum.
    longest = 8 if kind == "joblib, compressed" else 0
    assert max(outcomes["the same model"], default=0) <= longest


@pytest.mark.slow
@needs_limits
@pytest.mark.parametrize("kind", [*KINDS, MAP])
def test_a_file_with_a_wrong_bit_is_refused_unless_it_has_no_checksum(spoilt, kind):
    outcomes = spoilt[f"{kind} {BIT}"]
    assert len(outcomes["error"]) > 100
    if kind == "joblib, compressed":
        # A wrong bit near the end may hide the end, so that nothing compares the checksum.
        assert max(outcomes["another model"], default=0) < 100
    else:
        assert bool(outcomes["another model"]) == (kind in ("joblib", MAP))


def save_beside(model, path, **options):
    """Save a model so that `path` is the old or the new file, but never a part of one."""
    beside = path.with_name(path.name + ".new")
    joblib.dump(model, beside, **options)
    os.replace(beside, path)


def large_model():
    """A model whose file takes a while to write, with an optimizer's state."""
    model = new(hidden_layer_sizes=(500, 500)).partial_fit(X, y, classes=[0, 1])
    for vector in (model.params_, *model._resume["optimizer"].values()):
        if np.ndim(vector):
            vector[:] = rng.randn(*vector.shape)
    return model


def kill_while_saving(directory):
    """Kill processes that replace a file, each one later; count what they leave."""
    path = Path(directory) / "model.joblib"
    beside = path.with_name(path.name + ".new")
    old, replacement = new().fit(X, y), large_model()
    start = perf_counter()
    save_beside(replacement, path, compress=3)
    duration, size = perf_counter() - start, path.stat().st_size
    counts = {"old": 0, "new": 0, "partial": 0}
    for k in range(LOOPS):
        beside.unlink(missing_ok=True)
        save_beside(old, path)
        pid = os.fork()
        if pid == 0:
            save_beside(replacement, path, compress=3)
            os._exit(0)
        sleep(duration * k / LOOPS)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        counts["partial"] += beside.exists() and beside.stat().st_size < size
        found = joblib.load(path)
        which = "old" if found.hidden_layer_sizes == 4 else "new"
        assert_array_equal(found.params_, (old if which == "old" else replacement).params_)
        counts[which] += 1
    return counts


@pytest.mark.slow
@needs_limits
def test_a_process_killed_while_saving_leaves_a_whole_file(tmp_path):
    counts = in_process(kill_while_saving, tmp_path)
    assert counts["old"] + counts["new"] == LOOPS
    assert counts["partial"] > 1


def fill_the_disk(directory):
    """Save models where there is no room for their files; return the numbers of the errors."""
    import resource

    path = Path(directory) / "model"
    old, model = new().fit(X, y), large_model()
    before, hard = model.predict_proba(X), resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    numbers = []
    for kind in ("joblib", "joblib, compressed", "skops"):
        path.write_bytes(saved(old, kind))
        for room in (0, 1000, 1_000_000):
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
            try:
                if kind == "skops":
                    skops.dump(model, path.with_name("beside"))
                else:
                    save_beside(model, path, compress=3 if "compressed" in kind else 0)
            except OSError as error:
                numbers.append(error.errno)
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
            assert_array_equal(loaded(path.read_bytes(), kind, path).params_, old.params_)
            assert_array_equal(model.predict_proba(X), before)
        path.write_bytes(saved(model, kind))
        assert_array_equal(loaded(path.read_bytes(), kind, path).predict_proba(X), before)
    return numbers


@needs_limits
def test_a_full_disk_raises_an_error_and_harms_neither_the_model_nor_the_old_file(tmp_path):
    assert in_process(fill_the_disk, tmp_path) == 9 * [errno.EFBIG]


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("model_0_1", r"sknumpynet 0\.1\.0"),
        ("model_0_1_unversioned", "an early version of sknumpynet"),
    ],
)
def test_a_model_of_release_0_1_is_refused_with_the_remedy(name, version):
    """The first models did not record their version."""
    message = f"saved by {version}, and this is .*cannot read it\\. Train it anew"
    with pytest.raises(ValueError, match=message):
        joblib.load(DATA / f"{name}.joblib")


def test_an_encoder_records_its_version(monkeypatch):
    saved = pickle.dumps(NumericalEncoder().fit(X))
    monkeypatch.setattr("sknumpynet.versioning.__version__", "99.0")
    with pytest.warns(UserWarning, match=r"This NumericalEncoder was saved by .*this is 99\.0"):
        pickle.loads(saved)


def test_a_model_of_release_0_2_warns_and_predicts_as_it_did():
    with pytest.warns(UserWarning, match=r"saved by sknumpynet 0\.2\.0, and this is") as caught:
        model = joblib.load(DATA / "model_0_2.joblib")
    assert len(caught) == 1
    corners = [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert_array_equal(model.predict(corners), ["no", "yes", "yes", "no"])
    yes = [0.2954391790067049, 0.905916555557319, 0.6561793180145971, 0.1489603789712148]
    np.testing.assert_allclose(model.predict_proba(corners)[:, 1], yes, rtol=1e-12)
    model.partial_fit(corners, ["no", "yes", "yes", "no"])
    assert model.n_iter_ == 15


@pytest.mark.filterwarnings("ignore:This (NumpyMLP|NumericalEnc).* was saved by sknumpynet 0.3.0")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")  # KNNImputer
@pytest.mark.parametrize("end", ["pkl", "joblib", "skops"])
def test_a_pipeline_of_release_0_3_predicts_as_it_did(end):
    path = DATA / f"model_0_3.{end}"
    if end == "skops":
        model = loaded_by_skops(path.read_bytes(), CLASSIFIER, ENCODER)
    else:
        model = joblib.load(path) if end == "joblib" else pickle.loads(path.read_bytes())
    proba = model.predict_proba([[1, 1], [-1, 1], [np.nan, 1]])[:, 1]
    expected = [0.6004557790306863, 0.5744783507556389, 0.5728345636580178]
    np.testing.assert_allclose(proba, expected, rtol=1e-5)
    model[-1].partial_fit(model[0].transform([[1, 2]]), ["no"])


@both
@pytest.mark.parametrize("kind", [*KINDS, MAP])
def test_loading_a_model_of_another_version_warns_at_the_users_line(
    kind, tmp_path, monkeypatch, Estimator
):
    model = new(Estimator).fit(X, y)
    data, pickled = saved(model, kind), pickle.dumps(model)
    monkeypatch.setattr("sknumpynet.versioning.__version__", "99.0")
    with pytest.warns(UserWarning, match=r"and this is 99\.0") as caught:
        loaded(data, kind, tmp_path / "model")
    with pytest.warns(UserWarning, match=r"and this is 99\.0") as caught_of_pickle:
        pickle.loads(pickled)
    assert [warning.filename for warning in (*caught, *caught_of_pickle)] == 2 * [__file__]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
