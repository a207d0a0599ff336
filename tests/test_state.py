"""Call after call: what continues, what starts anew, what a failing call leaves alone."""

import copy
import pickle
import threading

import numpy as np
import pytest
from helpers import both, streamed
from numpy.testing import assert_allclose
from sklearn.datasets import load_digits

from sknumpynet import NumpyMLPClassifier
from sknumpynet.core.training import TrainingRun

rng = np.random.RandomState(0)
X, noise = rng.randn(600, 10), rng.randint(2, size=600)
y = (X[:, 0] > 0).astype(int)


def stream(Estimator=NumpyMLPClassifier, **settings):
    return streamed(Estimator(hidden_layer_sizes=8, random_state=0, **settings), X, y)


@both
@pytest.mark.parametrize("change", [{"beta_1": 0.5}, {"beta_2": 0.9}, {"beta_1": 0.0}])
def test_adam_continues_with_other_decays(change, Estimator):
    """The moments of the textbook, which are those of the state, do not depend on the decays."""
    settings = {"batch_size": 600, "dtype": "float64", "weight_decay": 0.0, "epsilon": 1e-8}
    model = stream(Estimator, **settings, input_lr_multiplier=1.0)
    for _ in range(20):
        model.partial_fit(X, y)
    state = model._resume["optimizer"]
    m, v, before = state["a"] * state["M"], state["c"] * state["V"], model.params_.copy()
    model.set_params(**change).partial_fit(X, y)
    after = model._resume["optimizer"]
    beta_1, beta_2 = model.settings_["beta_1"], model.settings_["beta_2"]
    m_new, v_new = after["a"] * after["M"], after["c"] * after["V"]
    gradient = (v_new - beta_2 * v) / (1 - beta_2)
    assert_allclose(((m_new - beta_1 * m) / (1 - beta_1)) ** 2, gradient, rtol=1e-6, atol=1e-12)
    m_hat, v_hat = m_new / (1 - beta_1**22), v_new / (1 - beta_2**22)
    step = model.settings_["learning_rate_init"] * m_hat / (np.sqrt(v_hat) + 1e-8)
    assert_allclose(model.params_ - before, -step, rtol=1e-3, atol=1e-8)


@both
def test_a_shallow_copy_and_the_original_do_not_share_their_record(Estimator):
    model = stream(Estimator)
    twin = copy.copy(model)
    twin.partial_fit(X, y)
    assert len(model.loss_curve_) == len(model.history_["loss"]) == model.n_iter_ == 1
    assert len(twin.loss_curve_) == twin.n_iter_ == 2


@both
def test_a_pickle_during_partial_fit_is_whole(Estimator):
    model, stop, broken = stream(Estimator), threading.Event(), []

    def save():
        while not stop.is_set():
            saved = pickle.loads(pickle.dumps(model))
            lengths = {len(column) for column in saved.history_.values()}
            if lengths != {saved.n_iter_} or saved.t_ != 600 * saved.n_iter_:
                broken.append(saved)

    thread = threading.Thread(target=save)
    thread.start()
    for _ in range(50):
        model.partial_fit(X, y)
    stop.set()
    thread.join()
    assert not broken


@both
def test_an_interrupt_after_starting_again_keeps_the_pilot_run(monkeypatch, Estimator):
    def one_epoch(self, update, original=TrainingRun.one_epoch):
        if self.state.phase == "fit":
            raise KeyboardInterrupt
        return original(self, update)

    monkeypatch.setattr(TrainingRun, "one_epoch", one_epoch)
    model = Estimator(hidden_layer_sizes=64, random_state=0)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, noise)
    losses = model.history_["validation_loss"]
    assert set(model.history_["phase"]) == {"pilot", "second pilot"}
    assert model.n_iter_ == len(losses) > 5
    assert model.predict(X).shape == noise.shape


@both
@pytest.mark.parametrize("call", [lambda model, *data: model.fit(*data), streamed])
def test_a_refused_call_does_not_advance_the_users_stream(call, Estimator):
    user = np.random.RandomState(0)
    before = user.get_state(legacy=False)
    settings = {"hidden_layer_sizes": 8, "max_iter": 2}
    model = Estimator(random_state=user, **settings)
    with pytest.raises(ValueError, match=r"y (has missing labels|contains NaN)"):
        call(model, X, np.where(y, np.nan, 0))
    np.testing.assert_equal(user.get_state(legacy=False), before)
    first = call(model, X, y).params_.copy()
    assert user.get_state(legacy=False)["state"]["pos"] != before["state"]["pos"]
    other = call(Estimator(random_state=user, **settings), X, y)
    assert not np.array_equal(first, other.params_)


@both
def test_patience_in_the_pilot_run_does_not_replace_training_on_all_rows(Estimator):
    model = Estimator(hidden_layer_sizes=8, n_iter_no_change=3, random_state=0).fit(X, y)
    phases = model.history_["phase"]
    n_pilot = phases.count("pilot")
    assert 3 < n_pilot < model.settings_["max_iter"] / 2
    assert phases.count("fit") > 0
    assert model.t_ == 480 * n_pilot + 600 * phases.count("fit")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@both
def test_lbfgs_leaves_no_moments_of_adam_behind(Estimator):
    settings = {"hidden_layer_sizes": 8, "max_iter": 3, "random_state": 0}
    model = Estimator(warm_start=True, **settings).fit(X, y)
    assert model._resume["optimizer"]["t"] > 0
    model.set_params(solver="lbfgs").fit(X, y)
    assert model._resume["optimizer"] == {}


def test_what_scikit_learn_stores_during_the_call_stays(monkeypatch):
    def end_epoch(self, *result, original=TrainingRun.end_epoch):
        model.kept_by_somebody_else = 7
        return original(self, *result)

    monkeypatch.setattr(TrainingRun, "end_epoch", end_epoch)
    model = NumpyMLPClassifier(8, max_iter=2)
    model.fit(X, y)
    assert model.kept_by_somebody_else == 7


@both
def test_the_best_epoch_continues_with_its_optimizer_state(Estimator):
    X, y = load_digits(return_X_y=True)
    settings = {"early_stopping": True, "warm_start": True, "preset": "sklearn", "tol": 0.01}
    settings |= {"hidden_layer_sizes": 16, "n_iter_no_change": 5, "random_state": 0}
    settings["learning_rate_init"] = 0.01
    model = Estimator(**settings).fit(X, y)
    best = 1 + int(np.argmax(model.validation_scores_))
    assert best < model.n_iter_
    n_batches = -(-(len(y) - np.ceil(0.1 * len(y))) // 200)
    assert model._resume["optimizer"]["t"] == best * n_batches
    assert model.t_ == model.n_iter_ * (len(y) - np.ceil(0.1 * len(y)))


@both
def test_a_fit_after_a_stream_starts_anew_and_a_stream_after_a_fit_continues(Estimator):
    model = stream(Estimator)
    sizes = [W.shape for W in model.coefs_]
    model.set_params(max_iter=2).fit(X, y)
    assert model.n_iter_ == len(model.loss_curve_) == 2
    model.partial_fit(X, y)
    assert model.n_iter_ == len(model.loss_curve_) == 3
    assert [W.shape for W in model.coefs_] == sizes
    assert model.history_["phase"][-1] == "partial_fit"
