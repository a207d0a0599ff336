"""What 'auto' means, and how many epochs a fit may have."""

import numpy as np
import pytest
from helpers import labelled
from scipy.sparse import csr_array

from sknumpynet import NumpyMLPClassifier
from sknumpynet.data.inputs import Inputs
from sknumpynet.settings.presets import COLUMNS, DEFAULTS, resolve


def data(n, total_variance=50.0, dtype=np.float32, movement=1.0, codes=None, n_distinct=None):
    """Return what the defaults depend on: rows of one feature, and its given statistics."""
    X = (np.arange(n) % (n if n_distinct is None else n_distinct)).astype(dtype)[:, None]
    codes = np.arange(n) % 3 if codes is None else np.asarray(codes)
    made = labelled(X, codes)
    made.computed["inputs"] = Inputs(total_variance, total_variance, movement)
    return made


def config(n=1000, total_variance=50.0, x_dtype=np.float32, fitted=None, about=None, **settings):
    values = NumpyMLPClassifier(**settings).get_params()
    return resolve(values, data(n, total_variance, x_dtype, **(about or {})), fitted=fitted)


def stream_config(n=1000, fitted=None, **settings):
    values = NumpyMLPClassifier(**settings).get_params()
    return resolve(values, data(n), is_fit=False, fitted=fitted)


def column_config(column, **settings):
    """Return the config that a column of the table is about."""
    method, _, solver = column.rpartition(", ")
    own = {"preset": "sklearn"} if column == "sklearn" else {"solver": solver}
    return (stream_config if method else config)(**own, **settings)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("name", DEFAULTS)
def test_auto_is_the_value_of_its_column(name, column):
    value = DEFAULTS[name][COLUMNS.index(column)]
    values = {"early_stopping": False, "learning_rate": "one_cycle"}
    value = value(data(1000), values) if callable(value) else value
    resolved = column_config(column)
    if column == "lbfgs":  # which has a single batch, and no patience without validation data
        value = {"batch_size": 1000, "n_iter_no_change": np.inf}.get(name, value)
    if name == "dropout":  # for each layer
        value = (value,) * len(resolved.hidden_layer_sizes)
    assert getattr(resolved, name) == value


GIVEN = {
    "hidden_layer_sizes": (7,),
    "activation": "silu",
    "alpha": 0.3,
    "batch_size": 7,
    "learning_rate": "invscaling",
    "learning_rate_init": 0.7,
    "input_lr_multiplier": 3.0,
    "beta_2": 0.5,
    "label_smoothing": 0.3,
    "dropout": 0.3,
    "weight_decay": 0.3,
    "dtype": "float64",
}


NOT_WITH_LBFGS = "batch_size", "dropout", "weight_decay"


@pytest.mark.parametrize(
    ("name", "column"),
    [(n, c) for n in GIVEN for c in COLUMNS if c != "lbfgs" or n not in NOT_WITH_LBFGS],
)
def test_a_value_that_is_given_is_used(name, column):
    resolved = getattr(column_config(column, **{name: GIVEN[name]}), name)
    assert resolved in (GIVEN[name], (GIVEN[name],) * 2, (GIVEN[name],))


@pytest.mark.parametrize("given", [0.25, 3, np.float32(0.5)])
def test_numbers_become_python_numbers(given):
    assert type(config(learning_rate_init=given).learning_rate_init) is float
    assert type(config(hidden_layer_sizes=np.array([3, 4])).hidden_layer_sizes[0]) is int


@pytest.mark.parametrize(
    ("total_variance", "multiplier"),
    [(0.0, 16), (0.1, 16), (50 / 16**2, 16), (2.0, 5), (12.5, 2), (50, 1), (784, 1), (np.inf, 1)],
)
def test_few_or_small_features_learn_faster_within_bounds(total_variance, multiplier):
    assert config(total_variance=total_variance).input_lr_multiplier == pytest.approx(multiplier)
    if 0.2 < total_variance < 50:
        more = config(total_variance=0.98 * total_variance).input_lr_multiplier
        assert more == pytest.approx(min(16, multiplier / np.sqrt(0.98)))


@pytest.mark.parametrize(
    ("movement", "multiplier"),
    [(0.0, 1), (50.0, 1), (10_000.0, 1), (40_000.0, 1 / 2), (10**6, 1 / 10), (np.nan, 1)],
)
def test_collinear_features_learn_more_slowly(movement, multiplier):
    learnt = config(about={"movement": movement}).input_lr_multiplier
    assert learnt == pytest.approx(multiplier)


@pytest.mark.filterwarnings("ignore:For rows that it was not trained on", "ignore:X is not scaled")
@pytest.mark.parametrize("size", [1.0, 1e-5])
def test_sparse_data_have_the_multiplier_of_the_same_dense_data(size):
    rng = np.random.RandomState(0)
    X = size * rng.rand(100, 3) * (rng.rand(100, 3) < 0.3)
    dense, sparse = (
        NumpyMLPClassifier(4, max_iter=2).fit(rows, np.arange(100) % 2).settings_
        for rows in (X, csr_array(X))
    )
    assert dense["input_lr_multiplier"] > 1
    assert sparse["input_lr_multiplier"] == pytest.approx(dense["input_lr_multiplier"])


def test_few_rows_have_float64():
    assert [config(n=n).dtype for n in (49, 50)] == ["float64", "float32"]


def test_from_16_distinct_rows_on_there_is_a_pilot_run():
    assert config(n=15).pilot_epochs == 0
    assert config(n=16).pilot_epochs == 100
    assert config(n=1000, about={"n_distinct": 15}).pilot_epochs == 0
    assert config(n=1000, about={"n_distinct": 16}).pilot_epochs > 0


def labels(n, n_classes):
    """Return labels of classes of which all but the last have one row."""
    return np.minimum(np.arange(n), n_classes - 1)


@pytest.mark.parametrize(
    ("n", "n_classes", "has_spare_rows"),
    [(100, 90, True), (100, 91, False), (100, 100, False), (20, 18, True), (20, 19, False)],
)
def test_without_spare_rows_of_the_classes_there_is_no_pilot_run_and_little_smoothing(
    n, n_classes, has_spare_rows
):
    resolved = config(n=n, about={"codes": labels(n, n_classes)})
    assert (resolved.pilot_epochs > 0) == has_spare_rows
    assert resolved.label_smoothing == (0.1 if has_spare_rows else 0.001)
    # Copies of the rows, which stay together, are no spare rows.
    codes = np.tile(labels(n, n_classes), 2)
    resolved = config(n=2 * n, about={"codes": codes, "n_distinct": n})
    assert (resolved.pilot_epochs > 0) == has_spare_rows


def test_a_multilabel_indicator_always_has_spare_rows():
    Y = np.eye(100, dtype=np.uint8)
    assert config(n=100, about={"codes": Y}).pilot_epochs == 100


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_few_rows_have_smaller_batches_and_a_shorter_memory(solver):
    assert [config(n=n, solver=solver).batch_size for n in (499, 500)] == [32, 128]
    assert [config(n=n, solver=solver).beta_2 for n in (19_999, 20_000)] == [0.9, 0.95]


def test_the_preset_sklearn_has_the_dtype_of_x():
    for dtype, expected in [("float32", "float32"), ("float64", "float64"), ("uint8", "float64")]:
        assert config(preset="sklearn", x_dtype=np.dtype(dtype)).dtype == expected


@pytest.mark.parametrize(
    ("n", "epochs"),
    [
        (128, 100),  # one step an epoch: the most
        (128 * 30, 100),
        (128 * 31, 97),  # 3000 steps
        (128 * 40, 75),
        (128 * 40 + 1, 73),
        (128 * 100, 30),  # the least
        (10**6, 30),
    ],
)
def test_a_tuned_fit_has_3000_steps_but_30_to_100_epochs(n, epochs):
    assert config(n=n, batch_size=128, early_stopping=True).max_iter == epochs
    whole = config(n=n, batch_size=128)
    assert whole.pilot_epochs == epochs
    # A second pilot run, and a quarter more; if cross-validated, as long again.
    assert whole.max_iter == (3 * epochs if n < 200 else -(-epochs * 9 // 4))


@pytest.mark.parametrize(
    ("n", "n_distinct", "is_cross_validated"),
    [(199, 199, True), (200, 200, False), (600, 199, True), (10_000, 199, False)],
)
def test_the_pilot_run_of_a_small_table_is_cross_validated(n, n_distinct, is_cross_validated):
    """Which takes as long again afterwards; not if there are many copies of few rows."""
    resolved = config(n=n, batch_size=128, about={"n_distinct": n_distinct})
    after = 1 if is_cross_validated else 0.25
    assert resolved.max_iter == np.ceil(resolved.pilot_epochs * (2 + after))


@pytest.mark.parametrize(("effort", "epochs"), [(0.001, 1), (0.2, 15), (1, 75), (100, 7500)])
def test_effort_multiplies_the_epochs(effort, epochs):
    tuned = config(n=5120, batch_size=128, effort=effort, early_stopping=True)
    assert tuned.max_iter == epochs
    sklearn = config(effort=effort, preset="sklearn").max_iter
    assert sklearn == config(effort=effort, solver="lbfgs").max_iter == max(1, round(200 * effort))
    assert config(effort=effort, max_iter=7, preset="sklearn").max_iter == 7


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("max_iter", [1, 2, 20, 124, 125, 224, 225, 1000])
def test_max_iter_caps_the_epochs_of_the_preset(max_iter, solver):
    settings = {"n": 2560, "solver": solver, "batch_size": 128}
    auto, capped = config(**settings), config(**settings, max_iter=max_iter)
    assert auto.max_iter == 225
    assert capped.max_iter == min(max_iter, 225)
    # A quarter of its epochs are left after the pilot run.
    assert capped.pilot_epochs == min(int(max_iter / 1.25), 100)
    others = [name for name in vars(auto) if name not in ("max_iter", "pilot_epochs")]
    assert all(getattr(auto, name) == getattr(capped, name) for name in others)


@pytest.mark.parametrize("settings", [{"preset": "sklearn"}, {"solver": "lbfgs"}])
def test_max_iter_is_used_as_it_is_with_the_preset_sklearn_and_with_lbfgs(settings):
    assert config(**settings).max_iter == 200
    for max_iter in (3, 5000):
        assert config(max_iter=max_iter, **settings).max_iter == max_iter


def test_there_is_no_pilot_run_with_validation_data_or_for_a_network_trained_further():
    fitted = vars(config())
    assert config().pilot_epochs
    assert not config(early_stopping=True).pilot_epochs
    assert not config(fitted=fitted, warm_start=True).pilot_epochs
    assert not config(solver="lbfgs").pilot_epochs
    assert not config(preset="sklearn").pilot_epochs
    assert not stream_config().pilot_epochs
    values = NumpyMLPClassifier().get_params()
    assert not resolve(values, data(1000), validated=True).pilot_epochs


def test_adaptive_has_the_patience_of_scikit_learn():
    assert config(learning_rate="adaptive").n_iter_no_change == 10
    assert config(learning_rate="adaptive", n_iter_no_change=3).n_iter_no_change == 3


def test_early_stopping_has_a_patience_of_40_epochs():
    assert config().n_iter_no_change == np.inf
    assert config(early_stopping=True).n_iter_no_change == 40
    assert config(early_stopping=True, n_iter_no_change=3).n_iter_no_change == 3
    assert stream_config(n_iter_no_change=3).n_iter_no_change == np.inf


def test_lbfgs_ignores_early_stopping_and_patience_without_validation_data():
    settings = {"solver": "lbfgs", "early_stopping": True, "n_iter_no_change": 3}
    assert not config(**settings).early_stopping
    assert config(**settings).n_iter_no_change == np.inf
    values = NumpyMLPClassifier(**settings).get_params()
    validated = resolve(values, data(1000), validated=True)
    assert validated.early_stopping
    assert validated.n_iter_no_change == 3
    assert config(solver="lbfgs").batch_size == 1000


def test_a_network_that_is_trained_further_keeps_what_belongs_to_it():
    settings = {"hidden_layer_sizes": (9,), "activation": "elu", "label_smoothing": 0.3}
    fitted = vars(config(**settings, input_lr_multiplier=2.5, dtype="float64"))
    for make in (config, stream_config):
        continued = make(fitted=fitted)
        assert {n: getattr(continued, n) for n in settings} == settings
        assert (continued.input_lr_multiplier, continued.dtype) == (2.5, "float64")
        assert make(fitted=fitted, label_smoothing=0.0).label_smoothing == 0
    small = {**fitted, "dtype": "float32"}
    assert config(fitted=small, solver="lbfgs", label_smoothing=0.0).dtype == "float64"


@pytest.mark.parametrize("schedule", ["linear", "cosine", "one_cycle", "adaptive"])
def test_partial_fit_replaces_schedules_that_need_an_end_by_constant(schedule):
    assert config(learning_rate=schedule).learning_rate == schedule
    assert stream_config(learning_rate=schedule).learning_rate == "constant"
    assert stream_config(learning_rate="invscaling").learning_rate == "invscaling"
    assert stream_config().max_iter == 1


def words(n_features=1000, density=0.02, n=300, uneven=True):
    """Return data whose rows have ones at random features."""
    X = np.zeros((n, n_features), np.float32)
    rng = np.random.RandomState(0)
    for k, row in enumerate(X):
        length = density * n_features * (1 + uneven * (k % 3 - 1) / 2)
        row[rng.permutation(n_features)[: round(length)]] = 1
    return labelled(X, np.arange(n) % 2)


def of_words(about, **settings):
    return resolve(NumpyMLPClassifier(**settings).get_params(), about)


def test_words_have_their_own_defaults():
    sparse = of_words(words())
    assert sparse.hidden_layer_sizes == (100,)
    assert sparse.dropout == (0.5,)
    assert sparse.input_lr_multiplier == 1
    for usual in (words(n_features=999), words(density=0.022), words(uneven=False)):
        dense = of_words(usual)
        assert dense.hidden_layer_sizes == (256, 256)
        assert dense.dropout == (0.0, 0.0)
        assert dense.input_lr_multiplier > 1
        assert sparse.pilot_epochs == dense.pilot_epochs / 4
    own = of_words(words(), hidden_layer_sizes=(9, 9), dropout=0.1, input_lr_multiplier=2.0)
    assert own.hidden_layer_sizes == (9, 9)
    assert own.dropout == (0.1, 0.1)
    assert own.input_lr_multiplier == 2
    for solver in ("sgd", "lbfgs"):
        assert of_words(words(), solver=solver) == of_words(words(uneven=False), solver=solver)
    assert of_words(words(), preset="sklearn").dropout == (0.0,)


def test_dropout_is_per_layer():
    assert config(hidden_layer_sizes=(3, 4, 5), dropout=0.2).dropout == (0.2, 0.2, 0.2)
    assert config(hidden_layer_sizes=(3, 4), dropout=[0.2, 0.0]).dropout == (0.2, 0.0)
    assert config(hidden_layer_sizes=()).dropout == ()
    with pytest.raises(ValueError, match=r"dropout=\[0\.2\].*layers, of which there are 2"):
        config(hidden_layer_sizes=(3, 4), dropout=[0.2])


def test_a_new_solver_has_the_defaults_of_adam():
    for make in (config, stream_config):
        adam = make()
        values = {**NumpyMLPClassifier().get_params(), "solver": "new"}
        new = resolve(values, data(1000), is_fit=make is config)
        assert {**vars(new), "solver": "adam"} == vars(adam)


def test_resolving_changes_neither_the_parameters_nor_the_fitted_settings():
    model = NumpyMLPClassifier(max_iter=2)
    values = model.get_params()
    before, fitted = dict(values), vars(config())
    fitted_before = dict(fitted)
    resolve(values, data(1000), fitted=fitted)
    assert values == before
    assert fitted == fitted_before
