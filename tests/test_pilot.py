"""The pilot run: how many epochs to train on all rows, and which network."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from sknumpynet import NumpyMLPClassifier
from sknumpynet.core.schedules import one_cycle
from sknumpynet.core.state import TrainingState
from sknumpynet.data import Data
from sknumpynet.defaults import resolve
from sknumpynet.pilot import has_turned_up, pilot_run


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        # The minimum 1.0 at position `best`, then a plateau: 2 * best + 5 epochs are needed.
        ([1.0] + [1.2] * 4, True),
        ([1.0] + [1.2] * 3, False),
        ([3, 2, 1.0] + [1.2] * 6, True),
        ([3, 2, 1.0] + [1.2] * 5, False),
        # The mean of the last quarter has to be more than 1.1 times the minimum.
        ([1.0] + [1.101] * 15, True),
        ([1.0] + [1.099] * 15, False),
        ([1.0] + [1.1] * 15, False),
        ([1.0] + [1.0] * 11 + [1.2] * 4, True),
        ([1.0] + [1.0] * 12 + [1.2] * 3, True),
        ([1.0] + [1.0] * 13 + [1.19] * 2, False),
        ([1.0] + [1.2] * 11 + [1.0] * 4, False),
        # Of few epochs the last two count.
        ([1.0] + [1.0] * 3 + [1.3], True),
        ([1.0] + [1.0] * 3 + [1.19], False),
        ([1.0] + [1.5] * 2 + [1.0, 1.0], False),
        # At ten epochs a quarter is two, at twelve it is three.
        ([1.0] + [1.0] * 8 + [1.25], True),
        ([1.0] + [1.0] * 10 + [1.25], False),
    ],
)
def test_a_loss_has_turned_up_if_it_stays_well_above_its_minimum(losses, expected):
    assert has_turned_up(losses) is expected


class FakeFit:
    """Stands in for `Fit`: `train` writes given validation losses into the state."""

    def __init__(
        self, n, losses, deadline=np.inf, ended_by=None, after_epoch=lambda: None, rates=None
    ):
        rng = np.random.RandomState(0)
        X, y = rng.randn(n, 2), np.arange(n) % 2
        self.data, self.losses, self.deadline = Data(X, y, y, None), losses, deadline
        self.ended_by, self.after_epoch, self.said = ended_by, after_epoch, []
        self.rates = [1.0] * 1000 if rates is None else rates
        self.observer = SimpleNamespace(say=self.said.append)

    def train(self, config, state, phase, *, rows, validation, deadline, until):
        self.config, self.rows, self.validation = config, rows, validation
        self.pilot_deadline = deadline
        assert phase == "pilot"
        for loss in self.losses[: config.max_iter]:
            state.history["validation_loss"].append(loss)
            state.history["learning_rate"].append(self.rates[state.n_iter])
            state.n_iter += 1
            state.params += 1
            state.samples_seen += len(rows)
            if loss == min(state.history["validation_loss"]):
                state.best = state.weights()
            self.after_epoch()
            if reason := until():
                return reason
        return self.ended_by

    def calibrate(self, state, validation):
        held_out = validation.X.rows
        assert_array_equal(np.sort([*self.rows, *held_out]), np.arange(self.data.n))
        state.temperature = 1.25


class Clock:
    """Stands in for `perf_counter`; stands still unless it ticks."""

    def __init__(self, seconds_per_tick, now=0.0):
        self.seconds_per_tick, self.now = seconds_per_tick, now

    def tick(self):
        self.now += self.seconds_per_tick

    def __call__(self):
        return self.now


def run(fit, max_iter=125):
    """Return the config and state that `pilot_run` returns, and those that it was given."""
    values = NumpyMLPClassifier(4, max_iter=max_iter, batch_size=10_000).get_params()
    config = resolve(values, fit.data)
    assert config.max_iter == max_iter
    state = TrainingState(np.zeros(3), np.random.RandomState(0))
    return (*pilot_run(fit, config, state), state, config)


FALLING = list(np.linspace(2, 1, 1000))


def test_a_fifth_is_held_out_but_at_most_5000_rows():
    for n, n_held_out in [(100, 20), (1001, 201), (25_000, 5000), (30_000, 5000)]:
        fit = FakeFit(n, FALLING)
        run(fit, 30)
        assert fit.validation.n == n_held_out
        assert len(fit.rows) == n - n_held_out
        assert_array_equal(np.unique(fit.data.codes[fit.rows], return_counts=True)[0], [0, 1])


@pytest.mark.parametrize(
    ("max_iter", "n_pilot"), [(2, 1), (5, 4), (20, 16), (24, 19), (124, 99), (125, 100)]
)
def test_a_falling_loss_goes_on_with_all_rows_for_a_quarter_at_half_the_rate(max_iter, n_pilot):
    fit = FakeFit(500, FALLING)
    config, state, begun, original = run(fit, max_iter)
    assert fit.config.max_iter == n_pilot
    assert config.max_iter == min(max_iter - n_pilot, -(-n_pilot // 4))
    assert n_pilot + config.max_iter <= max_iter
    assert config.learning_rate_init == original.learning_rate_init / 2
    assert state is begun
    assert_array_equal(state.params, n_pilot)
    assert fit.said == []


def turned_up(best, n=1000):
    """Return losses with their minimum in the epoch `best`."""
    return [2.0] * (best - 1) + [1.0] + [1.5] * n


@pytest.mark.parametrize(("best", "epochs"), [(10, 15), (11, 17), (30, 45), (35, 52)])
def test_a_rising_loss_starts_again_for_one_and_a_half_times_the_best(best, epochs):
    fit = FakeFit(500, turned_up(best))
    config, state, begun, original = run(fit)
    used = begun.n_iter
    assert used == 2 * (best - 1) + 5
    assert config.max_iter == min(epochs, 125 - used) == epochs
    assert config.learning_rate_init == original.learning_rate_init
    assert state is not begun
    assert_array_equal(state.params, 0)
    assert state.samples_seen == 0
    assert state.n_iter == used
    assert state.history is begun.history
    assert state.temperature == 1.25
    assert fit.said == ["Starting again, with all rows."]


@pytest.mark.parametrize("best", [1, 4, 9])
def test_after_a_minimum_within_the_warmup_the_mean_learning_rate_stays_the_same(best):
    rates = np.linspace(1e-5, 1e-3, 1000)
    config, _, _, _ = run(FakeFit(500, turned_up(best), rates=rates))
    cycle = [one_cycle(u, 0, 0.5) for u in np.linspace(0, 1, 10_001)]
    assert_allclose(np.mean(cycle) * config.learning_rate_init, rates[:best].mean(), rtol=0.01)


def test_a_rise_before_the_end_of_the_warmup_does_not_count():
    fit = FakeFit(500, turned_up(1))
    _, _, begun, _ = run(fit)
    assert begun.n_iter == 10  # a tenth of the pilot run's 100 epochs, not 5


@pytest.mark.parametrize(
    ("best", "max_iter", "starts_again"),
    [(40, 125, True), (40, 123, True), (41, 125, False), (42, 125, False)],
)
def test_after_a_late_rise_the_best_network_goes_on(best, max_iter, starts_again):
    fit = FakeFit(500, turned_up(best))
    config, state, begun, original = run(fit, max_iter)
    left = max_iter - (2 * (best - 1) + 5)
    assert starts_again == (best <= left)
    if starts_again:
        assert state is not begun
        assert config.max_iter == left
    else:
        assert state is begun
        assert_array_equal(state.params, best)
        assert config.max_iter == 22  # a quarter of 85 or 87
        assert config.learning_rate_init == original.learning_rate_init / 2


def test_an_end_by_patience_goes_on_for_a_quarter_of_the_epochs_so_far():
    fit = FakeFit(500, FALLING[:21], ended_by="patience")
    config, state, begun, _ = run(fit)
    assert state is begun
    assert config.max_iter == 6


@pytest.mark.parametrize("second", [1.0, 0.001])
@pytest.mark.parametrize(("deadline", "starts_again"), [(100, True), (36, True), (35, False)])
def test_training_starts_again_only_if_there_is_time_for_it(
    monkeypatch, deadline, starts_again, second
):
    # The best of 23 epochs is the 10th. Ten epochs of all rows take as long as 12.5 of the others.
    clock = Clock(second, now=10.0)
    monkeypatch.setattr("sknumpynet.pilot.perf_counter", clock)
    fit = FakeFit(500, turned_up(10), deadline=10 + deadline * second, after_epoch=clock.tick)
    _, state, begun, _ = run(fit)
    assert begun.n_iter == 23
    assert (state is not begun) == starts_again


def test_the_pilot_run_has_four_fifths_of_the_time(monkeypatch):
    monkeypatch.setattr("sknumpynet.pilot.perf_counter", Clock(0.0, now=10.0))
    fit = FakeFit(500, FALLING, deadline=110.0)
    run(fit)
    assert_allclose(fit.pilot_deadline, 90)


def test_training_starts_again_with_the_network_and_random_stream_of_the_start():
    fit = FakeFit(500, turned_up(10))
    _, state, _, _ = run(fit)
    assert_array_equal(state.params, 0)
    assert state.rng.randint(2**31) == np.random.RandomState(0).randint(2**31)


def noisy(n, noise, seed=0):
    """Return a rule of two of ten features, with that fraction of the labels drawn at random."""
    rng = np.random.RandomState(seed)
    X = rng.randn(n, 10)
    return X, np.where(rng.rand(n) < noise, rng.randint(2, size=n), X[:, 0] + X[:, 1] > 0)


@pytest.mark.parametrize(("noise", "most"), [(0.6, 1 / 2), (1.0, 1 / 5)])
def test_training_is_short_where_labels_are_noise(noise, most):
    model = NumpyMLPClassifier(64, random_state=0).fit(*noisy(600, noise))
    assert model.history_["phase"].count("fit") < model.settings_["max_iter"] * most


def test_clean_labels_are_trained_on_to_the_end():
    X, y = noisy(2000, 0.0)
    model = NumpyMLPClassifier(64, random_state=0).fit(X, y)
    assert model.n_iter_ == model.settings_["max_iter"]
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


def test_50_rows_with_a_weight_are_needed():
    rng = np.random.RandomState(0)
    X, y = rng.randn(300, 5), rng.randint(2, size=300)
    for n, pilot in ((49, False), (50, True)):
        weight = (np.arange(300) < n).astype(float)
        model = NumpyMLPClassifier(8, max_iter=2, random_state=0).fit(X, y, weight)
        assert model.settings_["pilot_run"] == pilot


def test_the_length_chosen_by_the_pilot_run_is_not_reported_as_a_lack_of_convergence():
    model = NumpyMLPClassifier(64, learning_rate="constant", random_state=0).fit(*noisy(600, 1.0))
    assert "fit" in model.history_["phase"]
    assert model.n_iter_ < model.settings_["max_iter"]
