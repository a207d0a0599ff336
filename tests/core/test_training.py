"""Training: snapshots, patience, the best epoch, the deadline, and the update of a step."""

import pickle
import tracemalloc
from dataclasses import FrozenInstanceError
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal, assert_equal

from sknumpynet.core.activations import Tanh
from sknumpynet.core.batches import Minibatch
from sknumpynet.core.clock import Budget
from sknumpynet.core.config import TrainingConfig
from sknumpynet.core.losses import SoftmaxCrossEntropy
from sknumpynet.core.network import Network, initialize
from sknumpynet.core.optimizers import OPTIMIZERS, SGD, Adam
from sknumpynet.core.schedules import ANNEALING, SCHEDULES
from sknumpynet.core.state import HISTORY, TrainingState
from sknumpynet.core.training import TrainingRun, make_update

# fmt: off
CONFIG = {
    "hidden_layer_sizes": (6,), "activation": "tanh", "dtype": "float64", "solver": "adam",
    "batch_size": 10, "shuffle": True, "max_iter": 100, "pilot_epochs": 0, "max_fun": 15000,
    "learning_rate": "constant", "learning_rate_init": 0.01, "power_t": 0.5,
    "alpha": 1e-4, "dropout": (0.0,), "label_smoothing": 0.0, "weight_decay": 0.0,
    "momentum": 0.9, "nesterovs_momentum": True, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8,
    "input_lr_multiplier": 1.0, "tol": 0.1, "n_iter_no_change": np.inf,
    "early_stopping": False, "validation_fraction": 0.1,
}
# fmt: on
N, FEATURES, CLASSES = 60, 4, 3


def make_data(n=N, n_features=FEATURES, weight=None):
    rng = np.random.RandomState(0)
    X, codes = rng.randn(n, n_features).astype(np.float32), rng.randint(CLASSES, size=n)
    return SimpleNamespace(X=X, encoded=codes, weight=weight)


def make_run(state=None, data=None, validate=None, monitor="loss", **changes):
    config, data = TrainingConfig(**CONFIG | changes), data or make_data()
    sizes = data.X.shape[1], *config.hidden_layer_sizes, CLASSES
    network = Network(sizes, Tanh, SoftmaxCrossEntropy(config.label_smoothing))
    if state is None:
        rng = np.random.RandomState(1)
        state = TrainingState(initialize(network, rng, config.dtype), rng)
    return TrainingRun(network, data, config, state, validate=validate, monitor=monitor)


def train(run, n_epochs):
    """Train for so many epochs, whether or not there is a reason to stop; return the reasons."""
    return list(islice(run.epochs(), n_epochs))


def scripted(scores):
    """Return a function that validates with these scores, and with 0 as the loss."""
    scores = iter(scores)
    return lambda params: (0.0, next(scores))


# --- the config and the state --------------------------------------------------------------------


def test_a_config_does_not_change():
    with pytest.raises(FrozenInstanceError):
        TrainingConfig(**CONFIG).alpha = 1.0


def assert_plain(value):
    """Assert that arrays, lists, dicts and scalars are all there is, at every level."""
    if isinstance(value, dict | list):
        for item in [*value, *value.values()] if isinstance(value, dict) else value:
            assert_plain(item)
    assert type(value) in (dict, list, np.ndarray, str, int, float, bool, type(None))
    assert not isinstance(value, np.ndarray) or value.dtype != object


@pytest.mark.parametrize("solver", OPTIMIZERS)
def test_a_snapshot_is_plain_and_later_training_does_not_change_it(solver):
    validate = scripted([0.1, 0.3, 0.2, 0.5, 0.4])
    run = make_run(solver=solver, validate=validate, monitor="validation_score")
    epochs = run.epochs()
    list(islice(epochs, 3))
    snapshot = run.state.snapshot()
    assert_plain(snapshot)
    assert snapshot["best"]["optimizer"]
    frozen = pickle.loads(pickle.dumps(snapshot))
    list(islice(epochs, 2))
    assert_equal(snapshot, frozen)
    for state in (run.state, TrainingState.from_snapshot(snapshot)):
        state.restore_best()
        train(make_run(state, solver=solver), 2)
        assert_equal(snapshot, frozen)


@pytest.mark.parametrize("learning_rate", ["adaptive", *sorted(SCHEDULES.keys() - ANNEALING)])
@pytest.mark.parametrize("solver", OPTIMIZERS)
def test_training_resumes_from_a_snapshot_to_the_bit(solver, learning_rate):
    changes = {"solver": solver, "learning_rate": learning_rate, "dropout": (0.3,)}
    changes |= {"tol": 10.0, "n_iter_no_change": 2, "dtype": "float32"}
    whole, first = make_run(**changes), make_run(**changes)
    train(whole, 7)
    train(first, 4)
    saved = pickle.loads(pickle.dumps(first.state.snapshot()))
    second = make_run(TrainingState.from_snapshot(saved), **changes)
    train(second, 3)
    ends = [run.state.snapshot() for run in (whole, second)]
    for end in ends:
        del end["history"]["seconds"]
    assert_equal(*ends)


@pytest.mark.parametrize("solver", OPTIMIZERS)
def test_a_run_changes_a_copy_of_the_optimizers_state(solver):
    run = make_run(solver=solver)
    train(run, 1)
    optimizer, before = run.state.optimizer, pickle.loads(pickle.dumps(run.state.optimizer))
    train(make_run(run.state, solver=solver), 1)
    assert_equal(optimizer, before)


def test_another_solver_starts_with_a_state_of_its_own():
    run = make_run(solver="sgd")
    train(run, 1)
    run.state.start_phase("fit")
    states = [run.state, TrainingState(run.state.params.copy(), np.random.RandomState())]
    states[1].rng.set_state(run.state.rng.get_state())
    for state in states:
        train(make_run(state, solver="adam"), 2)
    assert_array_equal(states[0].params, states[1].params)
    assert_equal(states[0].optimizer, states[1].optimizer)


@pytest.mark.parametrize("monitor", ["validation_score", "validation_loss"])
def test_the_best_epoch_is_restored_with_its_optimizer(monitor):
    values = [0.1, 0.7, 0.3, 0.7, 0.2]  # a tie goes to the earlier epoch
    values = iter([(-value, value) for value in values])
    run, seen = make_run(validate=lambda params: next(values), monitor=monitor), []
    for _ in islice(run.epochs(), 5):
        seen.append(pickle.loads(pickle.dumps(run.state.snapshot())))
    run.state.restore_best()
    for name in ("params", "optimizer"):
        assert_equal(getattr(run.state, name), seen[1][name])
    assert run.state.optimizer["t"] == 2 * N / 10
    assert run.state.history["validation_score"] == [0.1, 0.7, 0.3, 0.7, 0.2]
    assert np.shares_memory(run.state.params, run.backprop.params)


# --- patience ------------------------------------------------------------------------------------


def test_patience_ends_after_exactly_so_many_epochs_without_an_improvement_of_tol():
    run = make_run(tol=0.1, n_iter_no_change=3)
    reasons = [run.end_epoch(loss) for loss in (5.0, 4.0, 3.95, 3.5, 3.45, 3.45, 3.48)]
    assert reasons[:6] == [None] * 6
    assert reasons[6] == "The training loss did not improve by tol=0.1 in 3 epochs"
    # An improvement by exactly tol is one.
    run = make_run(tol=0.5, n_iter_no_change=1)
    assert [run.end_epoch(loss) for loss in (5.0, 4.5, 4.0, 3.5)] == [None] * 4
    # Each value counts against the best one so far, so slow progress is no improvement.
    run = make_run(tol=0.1, n_iter_no_change=3)
    reasons = [run.end_epoch(loss) for loss in (1.0, 0.95, 0.9, 0.85)]
    assert [reason is None for reason in reasons] == [True, True, True, False]
    endless = make_run(tol=0.1, n_iter_no_change=np.inf)
    assert {endless.end_epoch(1.0) for _ in range(100)} == {None}


def test_patience_may_watch_the_validation_score():
    scores = [0.5, 0.7, 0.7, 0.6]
    run = make_run(validate=scripted(scores), monitor="validation_score", n_iter_no_change=2)
    reasons = [run.end_epoch(loss) for loss in (5.0, 6.0, 4.0, 3.0)]  # the loss does not matter
    assert [reason is None for reason in reasons] == [True, True, True, False]


@pytest.mark.parametrize("undefined", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_is_the_worst_and_no_improvement(undefined):
    scores = [undefined, 0.2, undefined, 0.5, undefined, undefined]
    run = make_run(validate=scripted(scores), monitor="validation_score", n_iter_no_change=2)
    seen = [(reason, run.state.params.copy()) for reason in islice(run.epochs(), 6)]
    assert [reason is None for reason, _ in seen] == [True] * 5 + [False]
    assert_array_equal(run.state.best["params"], seen[3][1])
    assert run.state.best_score == 0.5
    run = make_run(
        validate=scripted([undefined] * 3), monitor="validation_score", n_iter_no_change=2
    )
    assert [reason is None for reason in islice(run.epochs(), 2)] == [True, False]
    assert run.state.best_score == -np.inf


def test_a_new_phase_forgets_patience_the_best_epoch_and_the_lowered_rate():
    scores = {"validate": scripted([0.9, 0.8, 0.8, 0.1]), "monitor": "validation_score"}
    run = make_run(**scores, learning_rate="adaptive", n_iter_no_change=2)
    train(run, 3)
    assert run.state.rate_factor == 1 / 5
    run.state.start_phase("fit")
    train(run, 1)
    assert run.state.history["learning_rate"][-1] == 0.01
    assert_array_equal(run.state.best["params"], run.state.params)


@pytest.mark.parametrize("solver", OPTIMIZERS)
def test_adaptive_divides_the_rate_by_5_until_it_is_below_a_millionth_and_then_ends(solver):
    run = make_run(solver=solver, learning_rate="adaptive", tol=100.0, n_iter_no_change=2)
    reason = next(filter(None, run.epochs()))
    assert reason == "The training loss did not improve by tol=100.0 in 2 epochs"
    # The first epoch counts as an improvement; then each rate lasts for two epochs.
    factors = [1, *(5.0 ** -np.arange(7)).repeat(2)]
    assert_allclose(run.state.history["learning_rate"], 0.01 * np.array(factors))
    assert 0.01 / 5**6 < 1e-6 < 0.01 / 5**5


def test_adaptive_does_not_divide_a_rate_of_a_millionth():
    run = make_run(learning_rate="adaptive", learning_rate_init=1e-6, tol=1.0, n_iter_no_change=1)
    assert run.end_epoch(1.0) is None
    assert run.end_epoch(1.0).startswith("The training loss did not improve")


# --- an epoch ------------------------------------------------------------------------------------


def test_the_loss_of_an_epoch_is_the_weighted_mean_over_all_rows():
    weight = np.random.RandomState(0).rand(N, 1)
    weight[10:30] = 0  # two batches are skipped
    # With a learning rate of 0 the parameters stay.
    changes = {"alpha": 0.0, "learning_rate_init": 0.0, "shuffle": False}
    run, single = make_run(data=make_data(weight=weight), **changes), make_run(**changes)
    train(run, 1)
    X, y = make_data().X.astype(float), make_data().encoded
    losses = [single.backprop(Minibatch(X[[i]], y[[i]])) for i in range(N)]
    assert_allclose(run.state.history["loss"], [np.average(losses, weights=weight[:, 0])])
    assert run.state.samples_seen == N


def test_each_epoch_adds_to_every_column_of_the_history():
    run = make_run(validate=scripted([0.1, 0.2]))
    run.state.start_phase("pilot")
    train(run, 2)
    history = run.state.history
    assert tuple(history) == HISTORY
    assert history["phase"] == ["pilot"] * 2
    assert history["epoch"] == [1, 2]
    assert history["validation_score"] == [0.1, 0.2]
    assert {len(values) for values in history.values()} == {2} == {run.state.n_iter}


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_learning_rate_follows_the_schedule_from_batch_to_batch(name):
    run = make_run(learning_rate=name, max_iter=5)
    train(run, 5)
    # The last batch of an epoch starts when 5 of its 6 batches are done.
    progress = (np.arange(5) + 5 / 6) / 5
    expected = [0.01 * SCHEDULES[name](u, N * i, 0.5) for i, u in enumerate(progress)]
    assert_allclose(run.state.history["learning_rate"], expected)


@pytest.mark.parametrize(
    ("batch_size", "most", "n_parts"), [(7, 1, 0), (7, 2, 2), (6, 5, 5), (7, 1000, N // 7)]
)
def test_a_long_epoch_reports_its_progress_in_equal_parts(monkeypatch, batch_size, most, n_parts):
    reports = []
    monkeypatch.setattr("sknumpynet.core.training.MOST_PARTS", most)
    for multiplications, n in ((np.inf, 0), (1, n_parts)):
        monkeypatch.setattr("sknumpynet.core.training.MULTIPLICATIONS", multiplications)
        run = make_run(batch_size=batch_size)
        run.report = lambda fraction, run=run: reports.append((fraction, run.state.optimizer["t"]))
        train(run, 1)
        assert run.n_parts == n
        assert [fraction for fraction, _ in reports] == [part / n for part in range(1, n)]
    for fraction, steps in reports:  # after the step that completes the part
        assert batch_size * (steps - 1) < fraction * N <= batch_size * steps


def test_the_parts_of_an_epoch_have_the_same_number_of_multiplications(monkeypatch):
    monkeypatch.setattr("sknumpynet.core.training.MULTIPLICATIONS", 1e7)
    one, two = (make_run(data=make_data(n=n), batch_size=4).n_parts for n in (2000, 4000))
    assert two == pytest.approx(2 * one, abs=1)
    assert one > 1


def test_divergence_raises_an_error_that_names_what_may_have_caused_it():
    run = make_run(solver="sgd", learning_rate_init=1e30, weight_decay=11.0)
    with pytest.raises(
        ValueError, match=r"learning_rate_init=1e\+30 or weight_decay=11.0, and scale"
    ):
        train(run, 2)


@pytest.mark.parametrize(
    ("added", "named"),
    [(0.0, ""), (0.5, r" or alpha=10\.5 or weight_decay=10\.5 or input_lr_multiplier=16\.5")],
)
def test_only_unusual_values_are_named_when_training_diverges(added, named):
    changes = {"alpha": 10 + added, "weight_decay": 10 + added, "input_lr_multiplier": 16 + added}
    run = make_run(**changes)
    run.end_epoch(1.0)
    with pytest.raises(ValueError, match=rf"epoch 2\. Lower learning_rate_init=0\.01{named}, and"):
        run.end_epoch(np.inf)


@pytest.mark.parametrize("validation_loss", [np.inf, np.nan])
def test_a_validation_loss_that_is_not_finite_is_divergence(validation_loss):
    run = make_run(validate=lambda params: (validation_loss, 0.5), monitor="validation_score")
    with pytest.raises(ValueError, match="loss is not finite"):
        train(run, 1)


def test_a_penalty_that_overflows_after_division_by_tiny_weights_is_refused():
    with pytest.raises(ValueError, match=r"sample_weight of mean 1e-100 .*alpha=1\.0"):
        make_run(data=make_data(weight=np.full((N, 1), 1e-100)), alpha=1.0)


# --- the deadline --------------------------------------------------------------------------------


def slow_down(run, clock):
    """Let each minibatch take one second."""
    epoch = run.minibatches.epoch

    def slow_epoch(rng):
        for batch in epoch(rng):
            clock.now += 1
            yield batch

    run.minibatches.epoch = slow_epoch


def test_the_deadline_ends_training_within_an_epoch(clock):
    short = make_run(shuffle=False)
    short.budget.deadline = clock.now + 2.5
    slow_down(short, clock)
    assert train(short, 1) == ["max_time is over"]
    assert short.state.samples_seen == short.state.optimizer["t"] * 10 == 30
    # The same as training on the first three batches alone.
    data = make_data()
    data.X, data.encoded = data.X[:30], data.encoded[:30]
    first = make_run(data=data, shuffle=False)
    train(first, 1)
    assert_array_equal(short.state.params, first.state.params)
    assert short.state.history["loss"] == first.state.history["loss"]


def test_a_deadline_that_has_passed_still_allows_one_minibatch(clock):
    run = make_run()
    run.budget.deadline = clock.now - 1
    assert train(run, 1) == ["max_time is over"]
    assert run.state.samples_seen == 10


def test_a_deadline_compresses_the_schedule(clock):
    run = make_run(learning_rate="linear", max_iter=100)
    run.budget.deadline = clock.now + 12  # two epochs of six batches
    slow_down(run, clock)
    assert train(run, 2) == [None, "max_time is over"]
    assert_allclose(run.state.history["learning_rate"], [0.01 * (1 - 6 / 12), 0.0])


def test_progress_is_the_fraction_of_samples_or_of_time_whichever_is_larger(clock):
    assert Budget(100, 1000).progress(350) == 0.25
    assert Budget(100, np.inf).progress(10**9) == 0
    budget = Budget(100, 1000, deadline=clock.now + 10)
    clock.now += 5
    assert budget.progress(350) == 0.5
    assert budget.progress(1000) == 0.9
    assert not budget.is_over()
    clock.now += 6
    assert budget.progress(350) == 1
    assert budget.is_over()
    assert not Budget(0, 10).is_over()


def test_a_lag_of_one_step_is_no_delay(clock):
    budget = Budget(0, 100, batch_size=10, deadline=clock.now + 8)
    clock.now += 4
    assert budget.progress(40) == 0.4  # the time says 0.5, one step more
    assert budget.progress(39) == 0.5


@pytest.mark.parametrize("seconds", [1e-3, 0.5, 20.0])
def test_progress_is_the_fraction_of_the_time_however_short_it_is(clock, seconds):
    clock.now = 0.0
    budget = Budget(0, np.inf, deadline=seconds)
    clock.now = seconds / 4
    assert budget.progress(10) == 0.25


def test_a_deadline_that_has_passed_at_the_start_leaves_no_progress_to_make(clock):
    budget = Budget(0, 100, deadline=clock.now - 5)
    clock.now += 1
    assert budget.progress(10) == 1


# --- the update of a step ------------------------------------------------------------------------


@pytest.mark.parametrize("multiplier", [1.0, 3.0])
def test_weight_decay_shrinks_the_weights_and_not_the_biases(multiplier):
    run = make_run(weight_decay=0.5, input_lr_multiplier=multiplier)
    params, n = run.state.params, run.backprop.n_weights
    start = params.copy()
    run.backprop.grad[:] = 0
    make_update(SGD(momentum=0.0), {}, run.backprop, run.config)(0.1)
    assert_allclose(params[:n], 0.95 * start[:n])
    assert_array_equal(params[n:], start[n:])


def test_adam_with_an_input_lr_multiplier_is_adam_on_inputs_that_many_times_as_large():
    factor, data = 3.0, make_data()
    batch = Minibatch(data.X.astype(float), data.encoded)
    larger = Minibatch(factor * batch.X, data.encoded)
    ends = []
    for inputs, multiplier, divisor in ((batch, factor, 1), (larger, 1, factor), (batch, 1, 1)):
        run = make_run(input_lr_multiplier=float(multiplier), batch_size=N, alpha=0.0)
        adam, first = Adam(epsilon=1e-30), run.backprop.weights[0]
        first /= divisor
        update = make_update(adam, adam.start(run.state.params), run.backprop, run.config)
        for _ in range(20):
            run.backprop(inputs)
            update(0.01)
        first *= divisor
        ends.append(run.state.params)
    assert_allclose(ends[0], ends[1], rtol=1e-9)
    assert not np.allclose(ends[0], ends[2], rtol=1e-2)


@pytest.mark.parametrize("solver", OPTIMIZERS)
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_an_epoch_allocates_nothing_as_large_as_the_parameters_or_a_batch(solver, dropout):
    changes = {"hidden_layer_sizes": (40,), "dropout": (dropout,), "dtype": "float32"}
    changes |= {"weight_decay": 0.1, "input_lr_multiplier": 2.0, "batch_size": 100}
    run = make_run(data=make_data(1000, 2000), solver=solver, **changes)
    epochs = run.epochs()
    next(epochs)
    tracemalloc.start()
    try:
        next(epochs)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < min(run.state.params.nbytes, 100 * 2000 * 4) / 2
