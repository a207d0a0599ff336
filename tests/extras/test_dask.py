"""The estimators on Dask collections equal the local ones on the same blocks."""

import os
import pickle
import re
import signal
import threading
import time
from copy import deepcopy
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import sknumpynet
from sknumpynet import (
    Checkpoint,
    NumericalEncoder,
    NumpyMLPClassifier,
    NumpyMLPRegressor,
    TabularEncoder,
)

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")
da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")
bag = pytest.importorskip("dask.bag")

from sknumpynet.dask import (  # noqa: E402
    DaskNumericalEncoder,
    DaskNumpyMLPClassifier,
    DaskNumpyMLPRegressor,
    DaskTabularEncoder,
)
from sknumpynet.dask.blocks import draw  # noqa: E402

SETTINGS = {"hidden_layer_sizes": 16, "random_state": 0, "max_iter": 3}
BLOCK = 250
METHODS = "predict", "predict_proba", "predict_log_proba", "decision_function"


@pytest.fixture(scope="module")
def cluster():
    options = {"n_workers": 4, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(processes=True, **options) as cluster:
        yield cluster


@pytest.fixture
def client(cluster):
    with distributed.Client(cluster) as client:
        yield client


@pytest.fixture(scope="module")
def blocks(digits):
    X, y = digits
    return da.from_array(X, (BLOCK, 64)), da.from_array(y, BLOCK)


def local_loop(X, y, sample_weight=None, n_passes=3, **settings):
    """Call partial_fit on the blocks, in the order of DaskNumpyMLPClassifier."""
    model = NumpyMLPClassifier(**{**SETTINGS, **settings})
    rng, starts = np.random.RandomState(0), np.arange(0, len(y), BLOCK)
    for _ in range(n_passes):
        for start in starts[rng.permutation(len(starts))]:
            rows = slice(start, start + BLOCK)
            weight = None if sample_weight is None else sample_weight[rows]
            model.partial_fit(X[rows], y[rows], weight, classes=np.unique(y))
    return model


def assert_same(model, expected):
    assert np.array_equal(model.params_, expected.params_)
    assert (model.n_iter_, model.t_) == (expected.n_iter_, expected.t_)
    assert np.array_equal(model.classes_, expected.classes_)


def test_streaming_has_the_bits_of_partial_fit_on_the_same_blocks(client, blocks, digits):
    model = DaskNumpyMLPClassifier(**SETTINGS).fit(*blocks)
    assert_same(model, local_loop(*digits))
    assert type(model.to_local()) is NumpyMLPClassifier
    assert_same(model.to_local(), model)


def test_no_rows_come_to_the_client(client, blocks, monkeypatch):
    gather, results = client.gather, []

    def recorded(futures):
        results.extend(gathered := gather(futures))
        return gathered

    monkeypatch.setattr(client, "gather", recorded)
    validation = {"X_val": blocks[0], "y_val": blocks[1], "sample_weight_val": blocks[1] + 1}
    DaskNumpyMLPClassifier(**SETTINGS, client=client).fit(*blocks, **validation).score(*blocks)
    others = [result for result in results if not isinstance(result, NumpyMLPClassifier)]
    assert len(results) > len(others) > 0
    assert all(len(pickle.dumps(result)) < 8 * BLOCK for result in others)


def test_sample_weights_travel_with_their_blocks(client, blocks, digits):
    weight = np.random.default_rng(0).random(len(digits[1]))
    model = DaskNumpyMLPClassifier(**SETTINGS).fit(*blocks, da.from_array(weight, BLOCK))
    assert_same(model, local_loop(*digits, weight))
    assert not np.array_equal(model.params_, local_loop(*digits).params_)


def test_predictions_are_lazy_and_those_of_the_local_estimator(client, blocks, digits):
    X, y = digits
    model = DaskNumpyMLPClassifier(**SETTINGS).fit(*blocks)
    local = model.to_local()
    for method in METHODS:
        lazy = getattr(model, method)(blocks[0])
        expected = [getattr(local, method)(X[k : k + BLOCK]) for k in range(0, len(X), BLOCK)]
        expected = np.concatenate(expected)
        assert dask.is_dask_collection(lazy)
        assert (lazy.shape, lazy.dtype) == (expected.shape, expected.dtype)
        assert np.array_equal(lazy.compute(), expected)
    assert np.array_equal(model.predict(X), local.predict(X))
    assert model.score(*blocks) == model.score(X, y) == local.score(X, y)
    weight = np.random.default_rng(0).random(len(y))
    weighted = model.score(*blocks, da.from_array(weight, BLOCK))
    assert abs(weighted - local.score(X, y, weight)) < 1e-12


def test_data_frames_and_string_labels(client, digits):
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(digits[0], columns=[f"pixel {j}" for j in range(64)])
    y = pd.Series([f"digit {label}" for label in digits[1]])
    frame = dd.from_pandas(X, npartitions=4)
    model = DaskNumpyMLPClassifier(**SETTINGS).fit(frame, dd.from_pandas(y, npartitions=4))
    assert list(model.feature_names_in_) == list(X)
    assert np.array_equal(np.asarray(model.predict(frame).compute()), model.to_local().predict(X))
    assert model.score(frame, dd.from_pandas(y, npartitions=4)) == model.to_local().score(X, y)
    proba = np.asarray(model.predict_proba(frame).compute())
    assert np.allclose(proba, model.to_local().predict_proba(X), rtol=1e-4)


def test_partitions_without_rows_are_left_out(client, digits):
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(digits[0]).add_prefix("pixel ")
    frame = dd.from_pandas(X.assign(label=digits[1], row=np.arange(len(X))), npartitions=6)
    some = frame[frame["row"] < 900]
    model = DaskNumpyMLPClassifier(**SETTINGS).fit(some[list(X)], some["label"])
    assert model.t_ == 3 * 900
    assert model.classes_.dtype == digits[1].dtype
    assert len(np.asarray(model.predict(some[list(X)]).compute())) == 900


def test_multilabel_targets(client, blocks, digits):
    y = (digits[1][:, None] % [2, 3, 5] == 0).astype(int)
    model = DaskNumpyMLPClassifier(**SETTINGS).fit(blocks[0], da.from_array(y, (BLOCK, 3)))
    assert model.predict(blocks[0]).compute().shape == y.shape
    assert model.score(blocks[0], da.from_array(y, (BLOCK, 3))) > 0.5


def test_sparse_blocks_stay_sparse(client, blocks, digits):
    X = blocks[0].map_blocks(sparse.csr_matrix)
    model = DaskNumpyMLPClassifier(**SETTINGS).fit(X, blocks[1])
    assert_same(model, local_loop(sparse.csr_matrix(digits[0]), digits[1]))
    assert np.array_equal(model.predict(X).compute(), model.to_local().predict(digits[0]))
    assert model.score(X, blocks[1]) > 0.8


@pytest.mark.parametrize("kind", [sparse.coo_matrix, sparse.csc_array])
def test_the_encoder_samples_sparse_blocks_of_any_format(client, blocks, digits, kind):
    X = blocks[0].map_blocks(kind)
    encoder = DaskNumericalEncoder().fit(X)
    local = NumericalEncoder().fit(sparse.csr_array(digits[0]))
    assert np.array_equal(encoder.scale_, local.scale_)
    expected = local.transform(sparse.csr_array(digits[0]))
    assert (encoder.transform(X).compute() != expected).nnz == 0


def test_averaging_is_the_mean_of_what_the_workers_learnt(client, blocks, digits):
    X, y = digits
    model = DaskNumpyMLPClassifier(**SETTINGS, mode="averaging", shuffle=False)
    model.set_params(max_iter=1).fit(*blocks)
    groups = np.array_split(np.arange(0, len(X), BLOCK), 4)
    locals_ = []
    for group in groups:
        local = NumpyMLPClassifier(**SETTINGS, shuffle=False)
        for start in group:
            rows = slice(start, start + BLOCK)
            local.partial_fit(X[rows], y[rows], classes=np.arange(10))
        locals_.append(local)
    rows = [local.t_ for local in locals_]
    mean = np.average([local.params_ for local in locals_], axis=0, weights=rows)
    assert np.allclose(model.params_, mean, rtol=0, atol=1e-7)
    assert model.t_ == len(X)


def test_averaging_learns_also_without_a_seed(client, blocks):
    model = DaskNumpyMLPClassifier(32, mode="averaging").fit(*blocks)
    assert model.score(*blocks) > 0.9


def test_validation_blocks_are_scored_after_each_pass(client, blocks, digits):
    X, y = digits
    validation = {"X_val": blocks[0][:500], "y_val": blocks[1][:500]}
    model = DaskNumpyMLPClassifier(**SETTINGS).fit(*blocks, **validation)
    assert len(model.validation_scores_) == 3
    assert model.validation_scores_[-1] == model.to_local().score(X[:500], y[:500])
    weight = np.arange(500.0)
    model = model.fit(*blocks, **validation, sample_weight_val=da.from_array(weight, BLOCK))
    expected = model.to_local().score(X[:500], y[:500], weight)
    assert abs(model.validation_scores_[-1] - expected) < 1e-12


def test_a_time_limit_ends_the_passes(client, blocks):
    model = DaskNumpyMLPClassifier(16, max_iter=10_000, max_time=0.5, random_state=0).fit(*blocks)
    assert 0 < model.n_iter_ < 10_000 * blocks[0].numblocks[0]


def test_a_network_of_many_megabytes_travels_without_a_warning(client, blocks):
    model = DaskNumpyMLPClassifier((1000, 1000), max_iter=1, random_state=0)
    model.fit(blocks[0][:500], blocks[1][:500])
    assert model.params_.nbytes > 4e6
    model.set_params(max_iter=2).fit(blocks[0][:500], blocks[1][:500])
    assert model.n_iter_ == 4
    blocks = [part.rechunk({0: 50}) for part in blocks]
    assert model.score(*blocks) == model.to_local().score(*(part.compute() for part in blocks))


def test_effort_multiplies_the_passes(client, blocks):
    model = DaskNumpyMLPClassifier(16, effort=0.2, random_state=0).fit(*blocks)
    assert model.n_iter_ == 2 * blocks[0].numblocks[0]


def test_a_warm_start_goes_on(client, blocks, digits):
    model = DaskNumpyMLPClassifier(**SETTINGS, shuffle=False, warm_start=True).fit(*blocks)
    model = model.set_params(max_iter=1).fit(*blocks)
    whole = DaskNumpyMLPClassifier(**SETTINGS, shuffle=False).set_params(max_iter=4).fit(*blocks)
    assert_same(model, whole)


def test_it_is_cloned_with_its_client_and_pickled_without(client, blocks):
    model = DaskNumpyMLPClassifier(**SETTINGS, client=client).fit(*blocks)
    assert clone(model).client is client
    assert clone(model).get_params() == model.get_params()
    assert not hasattr(clone(model), "params_")
    loaded = pickle.loads(pickle.dumps(model))
    assert loaded.client is None
    assert_same(loaded, model)


def test_wrong_data_and_modes_are_refused_and_leave_the_estimator_unfitted(client, blocks, digits):
    model = DaskNumpyMLPClassifier(**SETTINGS)
    with pytest.raises(TypeError, match=r"X of type ndarray is not .* NumpyMLPClassifier"):
        model.fit(*digits)
    with pytest.raises(
        ValueError,
        match=r"match: .*'X': '8 blocks of \[250, .*'y': '3 blocks of \[700, 700, 397\] rows'",
    ):
        model.fit(blocks[0], blocks[1].rechunk(700))
    with pytest.raises(ValueError, match="mode='average' is not accepted"):
        clone(model).set_params(mode="average").fit(*blocks)
    with pytest.raises(ValueError, match="early_stopping=True"):
        clone(model).set_params(early_stopping=True).fit(*blocks)
    with pytest.raises(ValueError, match="solver='lbfgs' is not accepted"):
        clone(model).set_params(solver="lbfgs").fit(*blocks)
    with pytest.raises(ValueError, match="scoring='loss' is not accepted with X_val"):
        clone(model).set_params(scoring="loss").fit(*blocks, X_val=blocks[0], y_val=blocks[1])
    with pytest.raises(ValueError, match="y_val is missing"):
        model.fit(*blocks, X_val=blocks[0])
    with pytest.raises(ValueError, match="X and y have no rows"):
        model.fit(blocks[0][:0], blocks[1][:0])
    with pytest.raises(TypeError, match="X of type Bag is not accepted"):
        model.fit(bag.from_sequence([1, 2]), blocks[1])
    assert not hasattr(model, "params_")


@pytest.mark.parametrize("Estimator", [NumpyMLPClassifier, NumericalEncoder])
def test_the_plain_estimators_do_not_gather_a_dask_collection(Estimator, blocks):
    with pytest.raises(TypeError, match=r"sknumpynet\.dask"):
        Estimator().fit(*blocks)


@pytest.fixture
def doomed():
    """A client of three workers of its own."""
    options = {"n_workers": 3, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with distributed.Client(processes=True, **options) as client:
        yield client


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_worker_changes_nothing(doomed, blocks, digits, seed):
    expected = local_loop(*digits, n_passes=20)
    pids, rng = list(doomed.run(os.getpid).values()), np.random.default_rng(seed)
    delay = rng.uniform(0.2, 1.5)
    killer = threading.Timer(delay, os.kill, (rng.choice(pids), signal.SIGKILL))
    killer.start()
    model = DaskNumpyMLPClassifier(**SETTINGS).set_params(max_iter=20).fit(*blocks)
    killer.join()
    assert_same(model, expected)
    assert set(doomed.run(os.getpid).values()) != set(pids)


def test_the_encoder_fits_all_rows_or_a_sample_of_them(client):
    rng = np.random.default_rng(0)
    X = rng.standard_cauchy((2000, 3)).astype(np.float64)
    X[::50, 1] = np.nan
    chunks = da.from_array(X, (500, 3))
    encoder, local = DaskNumericalEncoder().fit(chunks), NumericalEncoder().fit(X)
    encoded = encoder.transform(chunks)
    assert encoded.shape == local.transform(X).shape
    assert np.array_equal(encoded.compute(), local.transform(X))
    sampled = DaskNumericalEncoder(n_rows=1000).fit(chunks)
    assert not np.array_equal(sampled.center_, local.center_)
    assert np.allclose(sampled.center_, local.center_, atol=0.15)
    assert type(encoder.to_local()) is NumericalEncoder


@pytest.fixture(scope="module")
def shops():
    """Return a table with an id of many levels, whose mean of y is noise, and y."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"amount": rng.standard_normal(1200), "group": rng.choice(list("abc"), 1200)}
    )
    table["shop"] = [f"shop {k}" for k in rng.integers(0, 400, 1200)]
    table.loc[::17, "group"] = None
    y = pd.Series(rng.integers(0, 2, 1200), name="y")
    y[table["shop"].str.endswith("7")] = 1  # so that some shops say something
    return table, y


def test_tables_are_encoded_as_by_the_local_encoder(client, shops):
    code = np.random.default_rng(1).integers(0, 60, 1200)
    table, y = shops[0].assign(code=code), shops[1].mask(code % 7 == 0, 1)
    X, target = (dd.from_pandas(part, npartitions=6) for part in (table, y))
    encoder, local = (
        DaskTabularEncoder(n_rows=np.inf).fit(X, target),
        TabularEncoder().fit(table, y),
    )
    assert encoder.kinds_ == local.kinds_ == ["number", "category", "category", "code"]
    assert encoder.levels_ == local.levels_
    assert np.allclose(encoder.transform(X).compute(), local.transform(table), atol=0.2)
    assert np.array_equal(encoder.transform(X).compute(), encoder.to_local().transform(table))
    assert type(encoder.to_local()) is TabularEncoder


def test_averages_of_a_block_come_from_other_blocks(client, shops):
    table, y = shops
    X, target = (dd.from_pandas(part, npartitions=6) for part in shops)
    encoder = DaskTabularEncoder(n_bins=0, n_rows=np.inf)
    own, shown = encoder.fit_transform(X, target).compute(), encoder.transform(X).compute()
    assert own.shape == (1200, len(encoder.get_feature_names_out()))
    noise = ~table["shop"].str.endswith("7")
    position = encoder.get_feature_names_out().tolist().index("shop_mean")
    assert abs(np.corrcoef(own[noise, position], y[noise])[0, 1]) < 0.15
    assert np.corrcoef(shown[noise, position], y[noise])[0, 1] > 0.3  # what would give it away
    alone = dd.from_pandas(table, npartitions=1), dd.from_pandas(y, npartitions=1)
    with pytest.raises(ValueError, match=r"single block.* Repartition X and y, or use TabularEnc"):
        DaskTabularEncoder().fit_transform(*alone)


def test_a_table_with_an_empty_block_is_learnt_from(client, shops):
    parts = [0, 0, 300, 800, 1200]
    X, target = (
        dd.from_delayed([dask.delayed(part.iloc[a:b]) for a, b in pairwise(parts)], meta=part[:0])
        for part in shops
    )
    model = make_pipeline(DaskTabularEncoder(), DaskNumpyMLPClassifier(8, max_iter=2))
    model.fit(X, target)
    assert model.predict(X).compute().shape == (1200,)


def test_a_sample_has_n_distinct_rows_of_all_blocks():
    counts = [1, 9, 490, 500]
    for n in (1, 60, 999, 1000):
        parts = draw(counts, n)
        assert sum(map(len, parts)) == n
        for part, count in zip(parts, counts, strict=True):
            assert set(part.tolist()) <= set(range(count))
            assert len(set(part.tolist())) == len(part)


def test_n_rows_is_a_number_of_at_least_1(client, blocks):
    for n_rows in (0, -1, "x", None):
        with pytest.raises(ValueError, match=r"n_rows=.* must be a number in \[1, inf\]"):
            DaskNumericalEncoder(n_rows=n_rows).fit(blocks[0])
    assert DaskNumericalEncoder(n_rows=1).fit(blocks[0]).transform(blocks[0]).shape[1] == 64
    everything = DaskNumericalEncoder(n_rows=np.inf).fit(blocks[0])
    assert np.array_equal(everything.center_, DaskNumericalEncoder().fit(blocks[0]).center_)


def test_a_search_through_joblib_has_the_scores_of_a_serial_one(client, digits):
    import joblib

    X, y = digits
    search = GridSearchCV(
        NumpyMLPClassifier(16, effort=0.1, random_state=0), {"weight_decay": [0.1, 1.0]}, cv=2
    )
    serial = deepcopy(search).fit(X[:400], y[:400])
    with joblib.parallel_backend("dask"):
        parallel = search.fit(X[:400], y[:400])
    scores = "split0_test_score", "split1_test_score"
    for name in scores:
        assert np.array_equal(parallel.cv_results_[name], serial.cv_results_[name])


@pytest.mark.parametrize("kind", ["array", "frame"])
def test_labels_of_shape_n_1_count_as_labels(client, blocks, digits, kind):
    X, y = digits
    column = blocks[1][:, None]
    if kind == "frame":
        column = dd.from_dask_array(column, columns=["y"])
    model = DaskNumpyMLPClassifier(**SETTINGS).fit(blocks[0], column, X_val=blocks[0], y_val=column)
    assert_same(model, local_loop(*digits))
    assert model.score(blocks[0], column) == model.to_local().score(X, y) > 0.8
    assert model.validation_scores_[-1] == model.score(*blocks)


def test_labels_and_weights_are_refused_as_by_the_local_estimator(client, blocks, digits):
    X, y = digits
    fitted = DaskNumpyMLPClassifier(**SETTINGS).fit(*blocks)
    zero, column = np.zeros(len(y)), np.ones((len(y), 1))
    wrong = [
        ("fit", {"y": np.full(len(y), 0.5)}),  # any block may be read first
        ("fit", {"y": y, "sample_weight": zero}),
        ("fit", {"y": y, "sample_weight": column}),
        ("fit", {"y": y, "sample_weight": -column[:, 0]}),
        ("fit", {"y": y, "X_val": X, "y_val": y + 5}),
        ("fit", {"y": y, "X_val": X, "y_val": y, "sample_weight_val": zero}),
        ("fit", {"y": y, "X_val": X, "y_val": y, "sample_weight_val": column}),
        ("score", {"y": y.astype(str)}),
        ("score", {"y": y, "sample_weight": zero}),
        ("score", {"y": y, "sample_weight": column}),
    ]
    for method, data in wrong:
        chunks = {
            name: da.from_array(part, (BLOCK, *part.shape[1:])) for name, part in data.items()
        }
        model = fitted if method == "score" else DaskNumpyMLPClassifier(**SETTINGS)
        with pytest.raises((ValueError, ZeroDivisionError)) as local:
            getattr(model.to_local(), method)(X, **data)
        with pytest.raises(local.type) as distant:
            getattr(model, method)(blocks[0], **chunks)
        # Whichever block fails first may name its own number of rows.
        counts = rf"\b({len(y)}|{BLOCK}|{len(y) % BLOCK})\b"
        messages = [re.sub(counts, "n", str(error.value)) for error in (local, distant)]
        assert messages[0] == messages[1]


def test_a_block_without_weight_is_not_trained_on_and_its_labels_are_classes(
    client, blocks, digits
):
    X, y = digits
    y, weight = y.copy(), np.ones(len(y))
    y[:BLOCK][::9], weight[:BLOCK] = 10, 0
    chunks = da.from_array(y, BLOCK), da.from_array(weight, BLOCK)
    model = DaskNumpyMLPClassifier(**SETTINGS, shuffle=False).fit(blocks[0], *chunks)
    local = NumpyMLPClassifier(**SETTINGS, shuffle=False)
    for start in [*range(BLOCK, len(y), BLOCK)] * 3:
        rows = slice(start, start + BLOCK)
        local.partial_fit(X[rows], y[rows], classes=np.arange(11))
    assert_same(model, local)
    assert abs(model.score(blocks[0], *chunks) - local.score(X, y, weight)) < 1e-12


def test_a_refit_forgets_the_feature_names(client, blocks):
    names = [f"pixel {j}" for j in range(64)]
    frame = dd.from_dask_array(blocks[0], columns=names)
    networks = DaskNumpyMLPClassifier(**SETTINGS), DaskNumpyMLPRegressor(**SETTINGS)
    for model in (*networks, DaskNumericalEncoder()):
        assert list(model.fit(frame, dd.from_dask_array(blocks[1])).feature_names_in_) == names
        assert not hasattr(model.fit(*blocks), "feature_names_in_")


@pytest.mark.parametrize("Estimator", [DaskNumpyMLPClassifier, DaskNumpyMLPRegressor])
def test_callbacks_are_refused(tmp_path, Estimator):
    model = Estimator()
    with pytest.raises(AttributeError, match=r"does not support callbacks .* warm_start=True"):
        model.set_callbacks(Checkpoint(tmp_path))
    assert not hasattr(model, "set_callbacks")  # as meta-estimators ask


def test_an_interrupted_fit_keeps_the_last_pass(client, blocks, digits, monkeypatch):
    train_pass, passes = sknumpynet.dask.network.train_pass, []

    def interrupted(*arguments):
        passes.append(arguments)
        if len(passes) == 3:
            raise KeyboardInterrupt
        return train_pass(*arguments)

    monkeypatch.setattr(sknumpynet.dask.network, "train_pass", interrupted)
    model = DaskNumpyMLPClassifier(**SETTINGS)
    validation = {"X_val": blocks[0], "y_val": blocks[1]}
    with pytest.raises(KeyboardInterrupt):
        model.fit(*blocks, **validation)
    assert_same(model, local_loop(*digits, n_passes=2))
    assert len(model.validation_scores_) == 2
    assert model.score(*blocks) == model.validation_scores_[-1]


def test_an_interrupted_pass_does_not_go_on_on_the_cluster(client, blocks, monkeypatch):
    gather = client.gather

    def keys(dask_scheduler):
        return [key for key in dask_scheduler.tasks if "train_on" in str(key)]

    def interrupted(futures):
        if any("train_on" in future.key for future in futures):
            while not client.run_on_scheduler(keys):
                time.sleep(0.01)
            raise KeyboardInterrupt
        return gather(futures)

    monkeypatch.setattr(client, "gather", interrupted)
    with pytest.raises(KeyboardInterrupt) as kept:  # it keeps the futures of the interrupted call
        DaskNumpyMLPClassifier(**SETTINGS, client=client).fit(*blocks)
    for _ in range(100):
        if not (left := client.run_on_scheduler(keys)):
            break
        time.sleep(0.1)
    assert kept.type is KeyboardInterrupt
    assert left == []


def test_a_random_state_is_advanced_by_a_fit_that_succeeds_only(client, blocks):
    rng = np.random.RandomState(0)
    before = pickle.dumps(rng)
    model = DaskNumpyMLPClassifier(**{**SETTINGS, "random_state": rng})
    with pytest.raises(ValueError, match="do not match"):
        model.fit(blocks[0], blocks[1].rechunk(700))
    with pytest.raises(ValueError, match="alpha"):
        model.set_params(alpha=1e300).fit(*blocks)
    assert pickle.dumps(rng) == before
    model.set_params(alpha="auto").fit(*blocks)
    assert pickle.dumps(rng) != before


@pytest.mark.parametrize("method", [*METHODS, "score"])
def test_an_unfitted_estimator_says_so(blocks, method):
    arguments = blocks if method == "score" else blocks[:1]
    with pytest.raises(NotFittedError):
        getattr(DaskNumpyMLPClassifier(), method)(*arguments)


def test_partial_fit_takes_data_in_memory(blocks, digits):
    model = DaskNumpyMLPClassifier(**SETTINGS)
    with pytest.raises(TypeError, match=r"not accepted as X of partial_fit.*fit, with max_iter=1"):
        model.partial_fit(*blocks, classes=np.arange(10))
    model.partial_fit(*digits, classes=np.arange(10))
    expected = NumpyMLPClassifier(**SETTINGS).partial_fit(*digits, classes=np.arange(10))
    assert_same(model, expected)


def test_x_must_be_a_table_of_rows(client, blocks):
    model = DaskNumpyMLPClassifier(**SETTINGS).fit(*blocks)
    for X, n in ((blocks[1], 1), (blocks[0][:, :, None], 3)):
        with pytest.raises(ValueError, match=f"X has {n} dimensions"):
            model.predict(X)


def test_a_warm_start_needs_the_same_classes(client, blocks):
    model = DaskNumpyMLPClassifier(**SETTINGS, warm_start=True).fit(*blocks)
    with pytest.raises(ValueError, match="warm_start can only be used where `y` has the same"):
        model.fit(blocks[0], blocks[1] % 5)
    with pytest.raises(ValueError, match="does not match the network"):
        model.fit(blocks[0], (blocks[1][:, None] % [2, 3] == 0).astype(int))


def test_the_encoder_does_not_gather_its_result_for_pandas(client, blocks):
    encoder = DaskNumericalEncoder(n_bins=0).fit(blocks[0])
    with pytest.raises(AttributeError, match=r"set_output: its result is a Dask array"):
        encoder.set_output(transform="pandas")
    with pytest.raises(ValueError, match="`set_output` is not available"):
        make_pipeline(encoder).set_output(transform="pandas")
    frame = dd.from_dask_array(blocks[0], columns=[f"pixel {j}" for j in range(64)])
    expected = encoder.transform(blocks[0].compute())
    with config_context(transform_output="pandas"):
        results = encoder.transform(blocks[0]), clone(encoder).fit(frame).transform(frame)
    for result in results:
        assert isinstance(result, da.Array)
        assert np.array_equal(result.compute(), expected)


def test_a_pipeline_can_be_fitted_again_with_a_warm_start(client, blocks):
    model = DaskNumpyMLPClassifier(**SETTINGS, warm_start=True)
    pipeline = make_pipeline(DaskNumericalEncoder(n_bins=0), model).fit(*blocks)
    assert pipeline.fit(*blocks)[-1].t_ == 6 * len(blocks[0])


# --- Numbers ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def numbers(digits):
    """Return pixels, and three numbers of each image, the last one a constant."""
    X, _ = digits
    constant = np.full(len(X), 3)
    return X, np.column_stack([1000 + 50 * X.mean(axis=1), X[:, :20].sum(axis=1), constant])


def in_blocks(*arrays):
    return [da.from_array(a, (BLOCK, *a.shape[1:])) for a in arrays]


def stream_of_numbers(X, y, weight=None, n_passes=3, **settings):
    """Call partial_fit on the blocks, after a first call that has seen the targets of all rows."""
    model = NumpyMLPRegressor(**{**SETTINGS, **settings})
    targets = model._new_targets(y, None if weight is None else weight[:, None], None)
    rng, starts = np.random.RandomState(0), np.arange(0, len(y), BLOCK)
    for _ in range(n_passes):
        for start in starts[rng.permutation(len(starts))]:
            rows = slice(start, start + BLOCK)
            part = None if weight is None else weight[rows]
            model._partial_fit(X[rows], y[rows], part, targets)
    return model


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_the_targets_are_those_of_all_rows(client, numbers, loss, weighted):
    X, y = numbers
    order = np.argsort(y[:, 0])  # blocks that differ
    X, y = X[order], y[order]
    weight = np.random.default_rng(0).random(len(y)) if weighted else None
    model = DaskNumpyMLPRegressor(loss, **SETTINGS)
    model.fit(*in_blocks(X, y), *([] if weight is None else in_blocks(weight)))
    expected = stream_of_numbers(X, y, weight, loss=loss)
    assert np.allclose(model.target_center_, expected.target_center_, rtol=1e-13)
    assert np.allclose(model.target_scale_, expected.target_scale_, rtol=1e-12)
    assert np.allclose(model.params_, expected.params_, rtol=1e-3, atol=1e-4)
    if loss != "poisson":
        assert np.allclose(model.target_center_, np.average(y, axis=0, weights=weight), rtol=1e-12)
        assert model.target_scale_[2] == 1


def test_medians_are_averaged_over_blocks(client, numbers):
    X, y = numbers[0], numbers[1][:, 0]
    y = np.where(np.arange(len(y)) % 100 == 7, 1e9, y)
    model = DaskNumpyMLPRegressor("huber", **SETTINGS).fit(*in_blocks(X, y))
    local = NumpyMLPRegressor("huber", **SETTINGS).partial_fit(X, y)
    assert np.allclose(model.target_center_, local.target_center_, atol=0.1 * local.target_scale_)
    assert np.allclose(model.target_scale_, local.target_scale_, rtol=0.1)


def test_a_stream_of_numbers_as_they_are_has_the_bits_of_partial_fit(client, numbers):
    X, y = numbers[0], numbers[1][:, 1] / 10
    model = DaskNumpyMLPRegressor(preset="sklearn", **SETTINGS).fit(*in_blocks(X, y))
    local = NumpyMLPRegressor(preset="sklearn", **SETTINGS)
    rng, starts = np.random.RandomState(0), np.arange(0, len(y), BLOCK)
    for _ in range(3):
        for start in starts[rng.permutation(len(starts))]:
            local.partial_fit(X[start : start + BLOCK], y[start : start + BLOCK])
    assert np.array_equal(model.params_, local.params_)
    assert model.n_iter_ == local.n_iter_


def test_predictions_and_scores_of_numbers_are_those_of_the_local_estimator(client, numbers):
    X, y = numbers[0], numbers[1][:, :2]
    weight = np.random.default_rng(0).random(len(y))
    chunks, weights = in_blocks(X, y), in_blocks(weight)
    validation = {"X_val": chunks[0], "y_val": chunks[1], "sample_weight_val": weights[0]}
    model = DaskNumpyMLPRegressor(**SETTINGS).fit(*chunks, **validation)
    local = model.to_local()
    assert type(local) is NumpyMLPRegressor
    assert np.allclose(model.predict(chunks[0]).compute(), local.predict(X), rtol=1e-6)
    assert abs(model.score(*chunks) - local.score(X, y)) < 1e-9
    assert abs(model.validation_scores_[-1] - local.score(X, y, weight)) < 1e-9
    assert model.score(X, y) == local.score(X, y)
    first = DaskNumpyMLPRegressor(**SETTINGS).fit(chunks[0], in_blocks(y[:, 0])[0])
    assert first.score(chunks[0], in_blocks(y[:, 0])[0]) > 0.5
    constant = np.full(len(y), 7.0)
    chunks = in_blocks(X, constant)
    assert model.fit(*chunks).score(*chunks) == model.to_local().score(X, constant)


def test_averaging_of_numbers_learns_and_keeps_their_targets(client, numbers):
    X, y = numbers[0], numbers[1][:, 0]
    chunks = in_blocks(X, y)
    settings = {"hidden_layer_sizes": 16, "effort": 4, "random_state": 0}
    model = DaskNumpyMLPRegressor(mode="averaging", **settings).fit(*chunks)
    assert model.score(*chunks) > 0.8
    assert np.allclose([model.target_center_[0], model.target_scale_[0]], [y.mean(), y.std()])
    assert model.t_ == 40 * len(y)


def test_quantiles_are_predicted_from_blocks_but_not_scored(client, numbers):
    X, y = numbers[0], numbers[1][:, 1]
    chunks = in_blocks(X, y)
    settings = {"quantile": [0.1, 0.9], "hidden_layer_sizes": 16, "random_state": 0}
    model = DaskNumpyMLPRegressor("quantile", **settings).fit(*chunks)
    low, high = model.predict(chunks[0]).compute().T
    assert (low <= high).all()
    assert 0.6 < np.mean((low < y) & (y < high)) < 0.95
    with pytest.raises(ValueError, match=r"several quantiles, \[0.1, 0.9\], is not computed"):
        model.score(*chunks)
    with pytest.raises(ValueError, match=r"several quantiles, \[0.1, 0.9\], is not computed"):
        model.fit(*chunks, X_val=chunks[0], y_val=chunks[1])
    median = DaskNumpyMLPRegressor("quantile", hidden_layer_sizes=16, random_state=0).fit(*chunks)
    assert abs(median.score(*chunks) - median.to_local().score(X, y)) < 1e-9


def test_a_warm_start_of_numbers_goes_on_with_the_same_targets(client, numbers):
    X, y = numbers[0], numbers[1][:, 0]
    chunks = in_blocks(X, y)
    model = DaskNumpyMLPRegressor(**SETTINGS, shuffle=False, warm_start=True).fit(*chunks)
    model = pickle.loads(pickle.dumps(model)).set_params(max_iter=1).fit(*chunks)
    whole = DaskNumpyMLPRegressor(**SETTINGS, shuffle=False).set_params(max_iter=4).fit(*chunks)
    assert np.array_equal(model.params_, whole.params_)
    with pytest.raises(ValueError, match="does not match the network of 1 outputs"):
        model.fit(chunks[0], *in_blocks(numbers[1]))
    with pytest.raises(ValueError, match=r"loss='huber' .* differs from the network's"):
        model.set_params(loss="huber").fit(*chunks)


@pytest.mark.parametrize(
    ("y", "settings", "message"),
    [
        (lambda y: y.astype(str) + "!", {}, "y is no array of numbers.*NumpyMLPClassifier"),
        (lambda y: np.where(y == y.max(), np.nan, y), {}, "y contains NaN"),
        (lambda y: -y, {"loss": "poisson"}, "out of the valid range of the loss 'poisson'"),
        (lambda y: y, {"mode": "average"}, "mode='average' is not accepted"),
        (lambda y: y, {"solver": "lbfgs"}, "DaskNumpyMLPRegressor trains block by block"),
    ],
)
def test_numbers_are_refused_as_by_the_local_estimator(client, numbers, y, settings, message):
    model = DaskNumpyMLPRegressor(**SETTINGS, **settings)
    chunks = in_blocks(numbers[0], y(numbers[1][:, 1]))
    with pytest.raises(ValueError, match=message):
        model.fit(*chunks)
    assert not hasattr(model, "params_")
    with pytest.raises(ValueError, match=r"scoring='loss' is not .* Set scoring='r2'"):
        DaskNumpyMLPRegressor(scoring="loss").fit(
            *in_blocks(*numbers), X_val=chunks[0], y_val=in_blocks(numbers[1])[0]
        )
