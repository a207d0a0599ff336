"""The pilot run: which rows are held out, in which basis, for how long, and what follows.

What it decides by its records is in test_evidence.py.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from helpers import labelled
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, csr_matrix
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from sknumpynet import NumpyMLPClassifier
from sknumpynet.core.activations import GELU
from sknumpynet.core.losses import LogisticCrossEntropy, SoftmaxCrossEntropy
from sknumpynet.core.network import Network
from sknumpynet.core.state import TrainingState
from sknumpynet.data.split import folds_of, split
from sknumpynet.fit.bases import SMALL, WIDE_ROWS, has_small_sample, is_wide
from sknumpynet.fit.pilot import pilot_run
from sknumpynet.fit.validation import LOG_TEMPERATURE, ValidationSet, chance_loss
from sknumpynet.settings.presets import resolve

# What is tried here may be labels that nothing can be learnt from.
pytestmark = pytest.mark.filterwarnings("ignore:For rows that it was not trained on")


class FakeTrainer:
    """Stands in for `Trainer`: `train` writes given validation losses into the state.

    The parameters count the epochs. The logits are `after_calibration` of the best epoch and of the
    last one.
    """

    has_learnt = True

    def __init__(self, n, losses, deadline=np.inf, after_epoch=lambda: None, ended_by=None):
        rng = np.random.RandomState(0)
        X, y = rng.randn(n, 2), np.arange(n) % 2
        self.data, self.losses, self.deadline = labelled(X, y), losses, deadline
        self.network = Network((2, 1), GELU, LogisticCrossEntropy())
        self.after_epoch, self.ended_by, self.said, self.phases = after_epoch, ended_by, [], []
        self.observer = SimpleNamespace(say=self.said.append, stopped=None)

    def train(self, config, state, phase, *, rows, validation, deadline, until):
        self.config, self.rows, self.validation = config, rows, validation
        self.pilot_deadline = deadline
        self.phases.append(phase)
        for loss in self.losses[: config.max_iter]:
            state.history["validation_loss"].append(loss)
            state.history["learning_rate"].append(config.learning_rate_init)
            state.history["loss"].append(0.1)
            state.n_iter += 1
            state.params += 1
            state.samples_seen += len(rows)
            if loss == min(state.history["validation_loss"]):
                state.best = state.weights()
            self.after_epoch()
            if reason := until():
                return reason
        return self.ended_by

    def validation_set(self, held_out, state):
        return FakeValidationSet(self)


class FakeValidationSet:
    """The loss after calibration is that of the epoch, and the temperature 10 times that."""

    def __init__(self, fit):
        self.fit = fit

    def outputs(self, params):
        return params.copy()

    def calibrate(self, outputs):
        loss = self.fit.losses[int(outputs[0]) - 1]
        return {"temperature": 10 * loss}, loss


def run(fit, max_iter=225):
    """Return the config and state that `pilot_run` returns, and those that it was given."""
    values = NumpyMLPClassifier(4, max_iter=max_iter, batch_size=10_000).get_params()
    config = resolve(values, fit.data)
    assert config.max_iter == max_iter
    state = TrainingState(np.zeros(3), np.random.RandomState(0))
    return (*pilot_run(fit, config, state), state, config)


FALLING = np.linspace(0.6, 0.3, 1000).tolist()


def turned_up(best, n=1000):
    """Return losses with their minimum in the epoch `best`."""
    return [0.7] * (best - 1) + [0.4] + [0.6] * n


def test_a_fifth_is_held_out_but_at_most_5000_rows():
    for n, n_held_out in [(200, 40), (1001, 201), (25_000, 5000), (30_000, 5000)]:
        fit = FakeTrainer(n, FALLING)
        run(fit, 30)
        held_out = fit.validation.X.rows
        assert len(held_out) == n_held_out
        assert_array_equal(np.sort([*fit.rows, *held_out]), np.arange(n))
        assert_array_equal(np.unique(fit.data.encoded[fit.rows]), [0, 1])


@pytest.mark.parametrize(
    ("max_iter", "n_pilot"), [(2, 1), (5, 4), (20, 16), (24, 19), (124, 99), (225, 100)]
)
def test_a_falling_loss_goes_on_with_all_rows_for_a_quarter_at_half_the_rate(max_iter, n_pilot):
    fit = FakeTrainer(500, FALLING)
    config, state, _, original = run(fit, max_iter)
    assert fit.config.max_iter == n_pilot
    assert config.max_iter == min(max_iter - n_pilot, -(-n_pilot // 4))
    assert config.learning_rate_init == original.learning_rate_init / 2
    assert_array_equal(state.params, n_pilot)
    assert state.n_iter == n_pilot
    assert_allclose(state.temperature, 10 * FALLING[n_pilot - 1])
    assert fit.said == []


@pytest.mark.parametrize(("best", "epochs"), [(10, 15), (11, 17), (30, 45), (40, 60)])
def test_an_early_best_epoch_starts_again_as_at_the_start(best, epochs):
    fit = FakeTrainer(500, turned_up(best))
    config, state, begun, original = run(fit)
    used = state.n_iter
    assert used == 2 * (best - 1) + 5  # the pilot run ended as soon as the loss had turned up
    assert config.max_iter == epochs
    assert config.learning_rate_init == original.learning_rate_init
    assert_array_equal(state.params, begun.params)
    assert state.samples_seen == 0
    assert len(state.history["validation_loss"]) == used
    assert state.rng.randint(2**31) == begun.rng.randint(2**31)
    assert_allclose(state.temperature, np.sqrt(4 * 6))  # of the best epoch, and of the last
    assert state.best is None
    assert fit.said == ["Starting again, with all rows."]


def test_a_rise_before_the_end_of_the_warmup_does_not_count():
    _, state, _, _ = run(FakeTrainer(500, turned_up(1)))
    assert state.n_iter == 10  # a tenth of the pilot run's 100 epochs, not 5


@pytest.mark.parametrize(
    "losses",
    [
        # No better than the class frequencies: nothing was learnt yet.
        [0.69] + [0.9] * 98 + [0.5],
        # So good that it is no use to train less.
        [0.01] + [0.05] * 99,
    ],
)
def test_a_network_that_has_not_learnt_or_has_learnt_much_is_trained_to_the_end(losses):
    _, state, _, _ = run(FakeTrainer(500, losses))
    assert state.n_iter == 100


def test_a_network_that_is_only_badly_calibrated_is_trained_to_the_end():
    fit = FakeTrainer(500, turned_up(10))
    calibrate = FakeValidationSet.calibrate

    class Overconfident(FakeValidationSet):
        def calibrate(self, outputs):
            loss = 0.2 if outputs[0] > 10 else calibrate(self, outputs)[1]
            return {"temperature": 3.0}, loss

    fit.validation_set = lambda held_out, state: Overconfident(fit)
    config, state, _, _ = run(fit)
    assert_array_equal(state.params, 100)
    assert state.temperature == 3
    assert config.max_iter == 25


@pytest.mark.parametrize(("best", "max_iter"), [(60, 225), (40, 124)])
def test_where_training_cannot_start_again_the_best_network_goes_on(best, max_iter):
    """After a late best epoch, or if too few epochs are left."""
    config, state, _, original = run(FakeTrainer(500, turned_up(best)), max_iter)
    assert (state.params == best).all() or config.max_iter > 30
    if best == 60:
        assert config.max_iter == 25
        assert config.learning_rate_init == original.learning_rate_init / 2


def test_an_end_by_patience_goes_on_for_a_quarter_of_the_epochs_so_far():
    config, state, _, _ = run(FakeTrainer(500, FALLING[:21], ended_by="patience"))
    assert_array_equal(state.params, 21)
    assert config.max_iter == 6


@pytest.mark.parametrize("second", [1.0, 0.001])
@pytest.mark.parametrize(("deadline", "starts_again"), [(100, True), (36, True), (35, False)])
def test_training_starts_again_only_if_there_is_time_for_it(clock, deadline, starts_again, second):
    # The best of 23 epochs is the 10th. Ten epochs of all rows take as long as 12.5 of the others.
    def tick():
        clock.now += second

    fit = FakeTrainer(500, turned_up(10), deadline=deadline * second, after_epoch=tick)
    _, state, _, _ = run(fit)
    assert state.n_iter == 23
    assert_array_equal(state.params, 0 if starts_again else 10)


def test_the_pilot_run_has_four_fifths_of_the_time(clock):
    clock.now = 10.0
    fit = FakeTrainer(500, FALLING, deadline=110.0)
    run(fit)
    assert_allclose(fit.pilot_deadline, 90)


@pytest.mark.parametrize("losses", [FALLING, turned_up(10), turned_up(60)])
def test_a_callback_that_stops_the_pilot_run_stops_the_fit(losses):
    fit = FakeTrainer(500, losses)
    fit.after_epoch = lambda: setattr(fit.observer, "stopped", "enough")
    config, state, _, _ = run(fit)
    assert config.max_iter == 0
    assert (state.params > 0).all()  # a network that was trained
    assert fit.phases == ["pilot"]


def noisy(n, noise, seed=0):
    """Return a rule of two of ten features, with that fraction of the labels drawn at random."""
    rng = np.random.RandomState(seed)
    X = rng.randn(n, 10)
    return X, np.where(rng.rand(n) < noise, rng.randint(2, size=n), X[:, 0] + X[:, 1] > 0)


def phases(model):
    """Return how many epochs each phase had."""
    counted = model.history_["phase"]
    return [counted.count(phase) for phase in ("pilot", "second pilot", "fit")]


def test_training_is_short_where_labels_are_noisy():
    model = NumpyMLPClassifier(64, random_state=0).fit(*noisy(600, 0.4))
    n_pilot, n_second, n_fit = phases(model)
    assert n_pilot + n_second + n_fit < model.settings_["pilot_epochs"] / 2


def test_clean_labels_are_trained_on_to_the_end():
    X, y = noisy(2000, 0.0)
    model = NumpyMLPClassifier(64, random_state=0).fit(X, y)
    n_epochs = model.settings_["pilot_epochs"]
    assert phases(model) == [n_epochs, 0, np.ceil(n_epochs / 4)]
    rates = np.array(model.history_["learning_rate"])
    pilot = np.array(model.history_["phase"]) == "pilot"
    assert_allclose(max(rates[~pilot]), max(rates[pilot]) / 2, rtol=0.05)
    assert model.validation_scores_ is model.best_validation_score_ is None
    assert model.score(X, y) > 0.97


def test_probabilities_are_nearly_as_good_as_the_true_ones_on_noisy_labels():
    rng = np.random.RandomState(0)
    X = rng.randn(1200, 8)
    p = 1 / (1 + np.exp(-X[:, 0]))
    X, X_test, y, y_test, _, p_test = train_test_split(X, rng.rand(1200) < p, p, random_state=0)
    proba = NumpyMLPClassifier(random_state=0).fit(X, y).predict_proba(X_test)
    assert log_loss(y_test, proba) < log_loss(y_test, p_test) + 0.08


def test_16_rows_with_a_weight_are_needed():
    rng = np.random.RandomState(0)
    X, y = rng.randn(300, 5), rng.randint(2, size=300)
    for n, pilot in ((15, False), (16, True)):
        weight = (np.arange(300) < n).astype(float)
        model = NumpyMLPClassifier(8, max_iter=2, random_state=0).fit(X, y, weight)
        assert (model.settings_["pilot_epochs"] > 0) == pilot
        assert ("pilot" in model.history_["phase"]) == pilot


def test_the_length_chosen_by_the_pilot_run_is_not_reported_as_a_lack_of_convergence():
    model = NumpyMLPClassifier(64, learning_rate="constant", random_state=0).fit(*noisy(600, 0.4))
    assert "fit" in model.history_["phase"]
    assert model.n_iter_ < model.settings_["max_iter"]


# Cross-validation


def of_labels(y, copies=1):
    y = np.repeat(y, copies)
    X = np.repeat(np.random.RandomState(0).randn(len(y) // copies, 3), copies, axis=0)
    return labelled(X, y)


def test_each_row_is_in_one_fold_unless_it_is_the_only_one_of_its_class():
    y = np.array([0] * 40 + [1] * 7 + [2] * 2 + [3, 4])
    folds = folds_of(of_labels(y), 5, np.random.RandomState(0))
    assert len(folds) == 5
    assert_array_equal(np.sort(np.concatenate(folds)), np.arange(49))
    assert {len(fold) for fold in folds} <= {9, 10}
    for label, most in [(0, 8), (1, 2), (2, 1)]:
        counts = [np.sum(y[fold] == label) for fold in folds]
        assert max(counts) == most
        assert sum(counts) == np.sum(y == label)
    for fold in folds:  # a row of each class is trained on
        assert set(np.delete(y, fold)) == set(y)


def test_copies_of_a_row_are_in_one_fold():
    data = of_labels(np.arange(40) % 3, copies=3)
    folds = folds_of(data, 5, np.random.RandomState(0))
    assert_array_equal(np.sort(np.concatenate(folds)), np.arange(120))
    for fold in folds:
        assert_array_equal(np.unique(fold // 3, return_counts=True)[1], 3)


def test_fewer_rows_than_folds_give_fewer_folds():
    folds = folds_of(of_labels(np.array([0, 0, 1, 1, 2, 3])), 5, np.random.RandomState(0))
    assert sorted(map(len, folds)) == [1] * 4


@pytest.mark.parametrize(("n", "n_classes"), [(30, 20), (300, 250), (100, 90)])
def test_the_last_row_of_a_class_is_never_held_out(n, n_classes):
    y = np.arange(n) % n_classes
    for seed in range(10):
        rows, held_out = split(of_labels(y), 0.2, np.random.RandomState(seed))
        assert set(y[rows]) == set(y)
        assert len(held_out) >= 2
        assert_array_equal(np.sort([*rows, *held_out]), np.arange(n))


@pytest.mark.parametrize("n", [60, 300])
def test_classes_whose_rows_are_all_copies_of_one_row_can_be_learnt(n):
    rng = np.random.RandomState(0)
    X, y = np.repeat(rng.randn(n, 20), 2, axis=0), np.repeat(np.arange(n), 2)
    model = NumpyMLPClassifier(random_state=0).fit(X, y)
    assert model.settings_["pilot_epochs"] == 0
    assert model.score(X, y) == 1


@pytest.mark.parametrize(("n", "is_cross_validated"), [(199, True), (200, False)])
def test_a_small_table_is_cross_validated(n, is_cross_validated):
    X, y = noisy(n, 0.0)
    model = NumpyMLPClassifier(8, max_iter=20, random_state=0).fit(X, y)
    n_pilot, _, n_fit = phases(model)
    assert n_pilot == (10 if is_cross_validated else 16)
    # The networks of the folds are not the one that is trained.
    n_seen = n * n_fit if is_cross_validated else 160 * n_pilot + 200 * n_fit
    assert model.t_ == n_seen
    validation = np.array(model.history_["validation_loss"])
    assert_array_equal(np.isfinite(validation), np.array(model.history_["phase"]) == "pilot")
    assert model.n_iter_ == len(validation)


def test_with_a_time_limit_a_small_table_is_not_cross_validated():
    X, y = noisy(100, 0.0)
    model = NumpyMLPClassifier(8, max_iter=20, max_time=1000, random_state=0).fit(X, y)
    assert model.history_["samples_seen"][0] == 80


def test_the_validation_loss_of_cross_validation_is_that_of_all_rows():
    """Of networks that were not trained on them: a label that is drawn anew is not foreseen."""
    rng = np.random.RandomState(0)
    X, y = rng.randn(150, 100), rng.randint(2, size=150)
    model = NumpyMLPClassifier(random_state=0).fit(X, y)
    assert min(model.history_["loss"]) < 0.1
    assert min(model.history_["validation_loss"]) > 0.6


# Bases


def spectra(n, p, seed=0):
    """Return two classes that differ in a small part of the variance of collinear features."""
    rng = np.random.RandomState(seed)
    y = np.arange(n) % 2
    common = rng.randn(n, 3) @ rng.randn(3, p)
    return common + 0.3 * rng.randn(2, p)[y] + 0.2 * rng.randn(n, p), y


@pytest.mark.parametrize(("n", "p"), [(120, 300), (300, 500)])
@pytest.mark.parametrize("convert", [np.asarray, csr_array, csr_matrix])
def test_what_was_trained_in_a_basis_is_a_network_on_x(n, p, convert):
    X, y = spectra(n + 500, p)
    model = NumpyMLPClassifier(16, random_state=0).fit(convert(X[:n]), y[:n])
    assert [W.shape for W in model.coefs_] == [(p, 16), (16, 1)]
    assert model.score(X[n:], y[n:]) > 0.9
    model.partial_fit(X[:n], y[:n])
    assert model.score(X[n:], y[n:]) > 0.9


def test_the_logits_of_the_pilot_run_are_those_of_its_rows(monkeypatch):
    """Also in a basis: the last network of the history has the validation loss that it records."""
    measured = []

    def evaluate(self, params, original=ValidationSet.evaluate):
        measured.append(original(self, params)[0])
        return original(self, params)

    monkeypatch.setattr(ValidationSet, "evaluate", evaluate)
    X, y = spectra(250, 400)
    model = NumpyMLPClassifier(8, max_iter=20, random_state=0).fit(X, y)
    recorded = model.history_["validation_loss"]
    assert_allclose(recorded[: len(measured)], measured)


@pytest.mark.parametrize("n", [120, 300])
def test_a_second_pilot_run_counts_whichever_of_the_two_is_better(n):
    rng = np.random.RandomState(0)
    X = 5 * rng.randn(n, 1) + rng.randn(n, 80)
    for y in (rng.randint(2, size=n), (X[:, 0] - X[:, 1] > 0).astype(int)):
        model = NumpyMLPClassifier(16, effort=0.2, random_state=0).fit(X, y)
        n_pilot, n_second, n_fit = phases(model)
        assert min(n_pilot, n_second, n_fit) > 0
        assert model.n_iter_ == len(model.history_["epoch"]) <= model.settings_["max_iter"]
        assert_array_equal(model.history_["epoch"], np.arange(1, model.n_iter_ + 1))


def test_a_small_wide_table_is_also_trained_on_as_it_is(monkeypatch):
    X, y = np.random.RandomState(0).randn(60, 80), np.arange(60) % 2
    model = NumpyMLPClassifier(8, random_state=0)
    assert min(phases(model.fit(X, y))) > 0
    assert phases(model.fit(X + 5 * y[:, None], y))[1] == 0  # all was learnt
    monkeypatch.setattr("sknumpynet.fit.pilot.SMALL_TABLE", X.size - 1)
    assert phases(model.fit(X, y))[1] == 0


def test_few_words_are_learnt_as_they_are():
    """Of 300 words that are rarely used, four tell which of two topics a text is about."""
    rng = np.random.RandomState(0)
    y = np.arange(460) % 2
    frequency = np.full((2, 300), 0.03)
    frequency[[0, 0, 1, 1], [0, 1, 2, 3]] = 0.8
    X = (rng.rand(460, 300) < frequency[y]).astype(float)
    X -= X.mean(axis=0)
    X /= X.std(axis=0)
    model = NumpyMLPClassifier(random_state=0).fit(X[:60], y[:60])
    peer = MLPClassifier(max_iter=1000, random_state=0).fit(X[:60], y[:60])
    assert model.score(X[60:], y[60:]) > peer.score(X[60:], y[60:]) - 0.02


def test_few_features_that_are_not_learnt_by_heart_are_enlarged():
    """A sine of a high frequency."""
    rng = np.random.RandomState(0)
    X = rng.rand(1000, 1) * 12**0.5
    y = (np.sin(17 * X[:, 0]) > 0).astype(int)
    model = NumpyMLPClassifier(64, random_state=0).fit(X, y)
    assert model.history_["loss"][model.settings_["pilot_epochs"] - 1] > 0.3 * np.log(2)
    assert phases(model) == [100, 100, 25]
    assert model.coefs_[0].shape == (1, 64)
    assert phases(NumpyMLPClassifier(64, random_state=0).fit(X, X[:, 0] > 1)) == [100, 0, 25]


def test_there_is_no_second_pilot_run_without_epochs_or_time_for_it():
    X, y = spectra(300, 200)
    y = np.random.RandomState(1).randint(2, size=300)
    fits = [{}, {"max_iter": 224}, {"max_iter": 100}]
    models = [NumpyMLPClassifier(8, random_state=0, **settings).fit(X, y) for settings in fits]
    assert [phases(model)[1] > 0 for model in models] == [True, False, False]


def test_a_wide_table_has_more_features_than_rows_but_few_numbers():
    for shape, wide in [
        ((60, 61), True),
        ((60, 60), False),
        ((WIDE_ROWS, 2000), True),
        ((WIDE_ROWS + 1, 2000), False),
        ((WIDE_ROWS, SMALL // WIDE_ROWS + 1), False),
    ]:
        assert is_wide(SimpleNamespace(shape=shape)) is wide


@pytest.mark.parametrize(("n", "p"), [(600, 2**20), (5000, 2**20)])
def test_a_sparse_x_of_very_many_features_does_not_become_dense(n, p):
    assert not has_small_sample(csr_array((n, p)))
    assert not is_wide(csr_array((n, p)))
    assert has_small_sample(csr_array((10**6, 500)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1e-30, 1e-5, 1e5])
def test_a_wide_table_of_any_units_is_trained_on_without_warnings_of_numpy(size, dtype):
    X, y = spectra(60, 100)
    settings = {"max_iter": 20, "random_state": 0, "dtype": dtype, "input_lr_multiplier": 1.0}
    with np.errstate(all="raise"):
        expected = NumpyMLPClassifier(8, **settings).fit(X, y).decision_function(X)
        with pytest.warns(UserWarning, match="not scaled"):
            model = NumpyMLPClassifier(8, **settings).fit(size * X, y)
        assert_allclose(model.decision_function(size * X), expected, rtol=0.01, atol=0.01)


# Calibration


def test_chance_is_the_loss_of_the_class_frequencies():
    y = np.array([0] * 6 + [1] * 3 + [2])
    data = of_labels(y)
    rows, held_out = np.arange(0, 10, 2), np.arange(1, 10, 2)
    for weight in (None, np.arange(1.0, 11)):
        data = labelled(data.X, y, weight)
        of_row = np.ones(10) if weight is None else weight
        held = data.take(np.array([1, 3, 5, 7]))
        sums = np.bincount(y[rows], of_row[rows], 3)
        losses = -np.log((sums / sums.sum())[y[[1, 3, 5, 7]]])
        expected = np.average(losses, weights=of_row[[1, 3, 5, 7]])
        assert_allclose(chance_loss(data, rows, held), expected)
    assert len(held_out) == 5


def test_chance_of_several_labels_is_the_sum_over_them():
    rng = np.random.RandomState(0)
    Y = (rng.rand(40, 3) < [0.5, 0.2, 0.8]).astype(np.uint8)
    data = labelled(rng.randn(40, 2), Y)
    rows, held_out = np.arange(30), np.arange(30, 40)
    p = Y[:30].mean(axis=0)
    losses = -np.log(np.where(Y[30:], p, 1 - p)).sum(axis=1)
    assert_allclose(chance_loss(data, rows, data.take(held_out)), losses.mean())


def calibrated(factor, n, seed=0):
    """Return the temperature for logits that are a multiple of the true ones, for n rows."""
    rng = np.random.RandomState(seed)
    Z = 2 * rng.randn(n, 3)
    y = (Z + rng.gumbel(size=Z.shape)).argmax(axis=1)
    held_out, network = labelled(Z, y), Network((3, 3), GELU, SoftmaxCrossEntropy())
    validation = ValidationSet(held_out, network, NumpyMLPClassifier())
    calibration, loss = validation.calibrate(factor * Z)
    return calibration["temperature"], loss


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0, 10.0])
def test_with_many_rows_the_temperature_is_the_factor_on_the_logits(factor):
    temperature, loss = calibrated(factor, 20_000)
    assert_allclose(temperature, factor, rtol=0.05)
    assert loss < 1.0


def test_without_evidence_the_temperature_is_the_expected_one():
    assert_allclose(calibrated(0.0, 1000)[0], np.exp(LOG_TEMPERATURE), rtol=1e-3)


@pytest.mark.parametrize("n", [10, 20, 30])
def test_few_right_answers_do_not_make_a_network_much_surer(n):
    """That all of them are right would be likeliest at a temperature of 0."""
    y = np.arange(n) % 3
    network = Network((3, 3), GELU, SoftmaxCrossEntropy())
    validation = ValidationSet(labelled(np.eye(3)[y], y), network, NumpyMLPClassifier())
    assert validation.calibrate(np.eye(3)[y])[0]["temperature"] > 0.25


def test_few_rows_correct_a_network_that_is_far_too_sure():
    temperature, loss = calibrated(30.0, 20)
    assert temperature > 8
    assert loss < 1.1
