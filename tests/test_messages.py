"""What a user reads: warnings, the lines of `verbose`, progress bars, the record of a fit."""

import re
import warnings
from html import unescape

import numpy as np
import pytest
from helpers import both
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor

rng = np.random.RandomState(0)
X = rng.randn(300, 5)
y = (X[:, 0] + 0.3 * rng.randn(300) > 0).astype(int)
X_noise, noise = rng.randn(2000, 10), rng.randint(2, size=2000)

CALLERS = {
    "fit": lambda model: model.fit(X, y),
    "pipeline": lambda model: make_pipeline(StandardScaler(), model).fit(X, y),
    "grid search": lambda model: GridSearchCV(model, {"alpha": [0.1]}, cv=2).fit(X, y),
}


@both
@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"preset": "sklearn", "max_iter": 2}, r"n_iter_=2 epochs.*Raise max_iter or tol"),
        ({"max_iter": 2, "batch_size": 1000}, r"batch_size=1000 is clipped to the \d+ samples"),
    ],
)
def test_a_warning_comes_once_a_fit_and_points_at_the_users_line(
    caller, settings, message, Estimator
):
    model = Estimator(hidden_layer_sizes=4, **settings)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        CALLERS[caller](model)
    assert len(caught) == (3 if caller == "grid search" else 1)
    for warning in caught:
        assert re.search(message, str(warning.message))
        assert warning.filename == __file__


@both
@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_validation_data_that_are_not_scaled_as_x_is_are_noticed(scale, Estimator):
    X_raw = scale * X + 5
    model = make_pipeline(StandardScaler(), Estimator(hidden_layer_sizes=4, max_iter=2))
    last = model.steps[-1][0]
    given = {f"{last}__X_val": X_raw[:50], f"{last}__y_val": y[:50]}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X_raw, y, **given)
    messages = [str(warning.message) for warning in caught]
    assert [m.startswith("The variance of X_val, ") for m in messages] == [True] * (scale > 1)


@both
@pytest.mark.parametrize(
    ("limit", "remedy"),
    [
        ({"max_iter": 20}, "max_iter"),  # of which 16 are the pilot run's
        ({"effort": 0.1, "early_stopping": True}, "effort"),  # max_iter would not help
    ],
)
def test_the_convergence_warning_counts_all_epochs_of_the_call(limit, remedy, Estimator):
    model = Estimator(hidden_layer_sizes=4, learning_rate="constant", **limit)
    with pytest.warns(ConvergenceWarning) as caught:
        model.fit(X, y)
    assert f"n_iter_={model.n_iter_} epochs" in str(caught[0].message)
    assert f"Raise {remedy} or tol" in str(caught[0].message)
    assert model.n_iter_ == model.settings_["max_iter"] == len(model.loss_curve_)
    assert ("pilot" in model.history_["phase"]) == ("max_iter" in limit)


@both
def test_verbose_counts_to_the_total_through_the_pilot_run(capsys, Estimator):
    settings = {"hidden_layer_sizes": 4, "effort": 0.1, "random_state": 0}
    model = Estimator(verbose=True, **settings).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    number = r"-?\d+\.\d+"
    pattern = (
        rf"Iteration (\d+) of (\d+)( \(pilot run\))?, loss = {number}"
        rf"(, validation loss = {number}, score = {number})?, {number} s"
    )
    matches = [re.fullmatch(pattern, line) for line in lines]
    assert all(matches)
    assert [int(match[1]) for match in matches] == model.history_["epoch"]
    assert {int(match[2]) for match in matches} == {model.settings_["max_iter"]}
    assert model.n_iter_ <= model.settings_["max_iter"]
    is_pilot = [phase == "pilot" for phase in model.history_["phase"]]
    assert [match[3] is not None for match in matches] == is_pilot
    assert [match[4] is not None for match in matches] == is_pilot


def test_verbose_says_why_training_stops_or_starts_again(capsys):
    flipped = np.where(rng.rand(2000) < 0.3, noise, X_noise[:, 0] > 0)
    model = NumpyMLPClassifier(verbose=1, random_state=0).fit(X_noise, flipped)
    out = capsys.readouterr().out
    assert "The validation loss is rising. Stopping.\nStarting again, with all rows.\n" in out
    assert out.count("Iteration ") == model.n_iter_
    NumpyMLPClassifier(4, preset="sklearn", tol=1, n_iter_no_change=3, verbose=1).fit(X, y)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "The training loss did not improve by tol=1.0 in 3 epochs. Stopping."


def test_a_long_epoch_shows_its_progress(capsys, monkeypatch):
    monkeypatch.setattr("sknumpynet.core.training.MULTIPLICATIONS", 1)
    monkeypatch.setattr("sknumpynet.core.training.MOST_PARTS", 10)
    monkeypatch.setattr("sknumpynet.fit.observer.SECONDS_BETWEEN_LINES", 0.0)
    settings = {"preset": "sklearn", "batch_size": 10, "max_iter": 1, "learning_rate": "linear"}
    NumpyMLPClassifier(4, verbose=True, **settings).fit(X, y)
    *progress, last = capsys.readouterr().out.splitlines()
    assert progress == [f"{10 * part}% of the next epoch" for part in range(1, 10)]
    assert last.startswith("Iteration 1 of 1,")
    NumpyMLPClassifier(4, **settings).fit(X, y)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("starts_again", [False, True])
def test_the_history_has_every_epoch_of_both_phases(starts_again):
    target, sizes = (noise, "auto") if starts_again else (X_noise[:, 0] > 0, 64)
    model = NumpyMLPClassifier(sizes, random_state=0).fit(X_noise, target)
    history = model.history_
    n_pilot = history["phase"].count("pilot")
    assert history["phase"] == ["pilot"] * n_pilot + ["fit"] * (model.n_iter_ - n_pilot)
    assert 0 < n_pilot < model.n_iter_ == len(model.loss_curve_)
    assert history["epoch"] == list(range(1, model.n_iter_ + 1))
    held_out = np.isfinite(history["validation_loss"])
    assert held_out[:n_pilot].all()
    assert not held_out[n_pilot:].any()
    seen_in_the_pilot_run = 0 if starts_again else 1600 * n_pilot
    assert model.t_ == seen_in_the_pilot_run + 2000 * (model.n_iter_ - n_pilot)
    assert history["samples_seen"][0] == 1600
    assert history["samples_seen"][n_pilot] == seen_in_the_pilot_run + 2000
    assert history["samples_seen"][-1] == model.t_


def test_a_second_pilot_run_is_in_the_history_and_counts_in_n_iter():
    model = NumpyMLPClassifier(8, effort=0.3, random_state=0).fit(X_noise, noise)
    history, n_pilot = model.history_, model.settings_["pilot_epochs"]
    assert history["phase"][: 2 * n_pilot] == ["pilot"] * n_pilot + ["second pilot"] * n_pilot
    assert set(history["phase"][2 * n_pilot :]) == {"fit"}
    assert history["epoch"] == list(range(1, model.n_iter_ + 1))
    assert len(model.loss_curve_) == model.n_iter_ <= model.settings_["max_iter"]


@both
@pytest.mark.parametrize("n", [40, 2000])
def test_a_network_that_learnt_nothing_is_warned_of(n, Estimator):
    model = Estimator(hidden_layer_sizes=8, effort=0.5, random_state=0)
    with pytest.warns(UserWarning, match=r"For rows .* NumericalEncoder\(\) in front") as caught:
        model.fit(X_noise[:n], noise[:n])
    assert len(caught) == 1
    assert caught[0].filename == __file__


@both
@pytest.mark.parametrize("n", [40, 300])
def test_there_is_no_warning_of_what_was_learnt_or_what_a_few_epochs_cannot_learn(n, Estimator):
    model = Estimator(hidden_layer_sizes=8, effort=0.5, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X[:n], X[:n, 0] > 0)
        model.fit(X[:n], np.ones(n))
        model.set_params(max_iter=3).fit(X_noise[:n], noise[:n])


@both
def test_a_time_limit_that_is_too_short_is_named(Estimator):
    X, y = np.random.RandomState(0).randn(20_000, 10), np.arange(20_000) % 2
    with pytest.warns(UserWarning, match=r"max_time=1e-09 has ended .* epochs.*Raise max_time"):
        Estimator(hidden_layer_sizes=8, max_time=1e-9, random_state=0).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Estimator(hidden_layer_sizes=8, max_time=100, max_iter=3, random_state=0).fit(X, y)


@both
def test_verbose_shows_how_a_cross_validated_pilot_run_ended(capsys, Estimator):
    settings = {"hidden_layer_sizes": 8, "effort": 0.3, "random_state": 0}
    model = Estimator(verbose=1, **settings).fit(X[:100], y[:100])
    n_pilot, most = model.settings_["pilot_epochs"], model.settings_["max_iter"]
    loss = model.history_["validation_loss"][n_pilot - 1]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"Iteration {n_pilot} of {most} (pilot run), loss = ")
    assert f"validation loss = {loss:.6f}" in lines[0]
    assert lines[1:2] == ["Starting again, with all rows."]
    assert lines[-1].startswith(f"Iteration {model.n_iter_} of {most}, loss = ")


UNSCALED = [(NumpyMLPClassifier, seed) for seed in range(6)]
UNSCALED += [(NumpyMLPRegressor, seed) for seed in range(3)]


@pytest.mark.parametrize(("Estimator", "seed"), UNSCALED)
def test_a_network_that_is_worse_than_chance_is_not_silent_about_it(Estimator, seed):
    """Unscaled features of very different sizes; the loss of the pilot run is noise."""
    X, target = load_breast_cancer(return_X_y=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = Estimator(random_state=seed).fit(X, target)
    if Estimator is NumpyMLPRegressor:
        is_bad = model.score(X, target) < 0
    else:
        is_bad = log_loss(target, model.predict_proba(X)) > 1 or model.score(X, target) < 0.7
    messages = [str(warning.message) for warning in caught]
    assert any("in front of the network" in message for message in messages) >= is_bad
    Estimator(random_state=seed).fit(StandardScaler().fit_transform(X), target)


@both
def test_a_network_that_predicts_x_val_worse_than_a_constant_is_not_silent_about_it(Estimator):
    noise = np.random.RandomState(0)
    X, values = noise.randn(400, 8), noise.randint(2, size=400)
    parts = {"X": X[:200], "y": values[:200], "X_val": X[200:], "y_val": values[200:]}
    model = Estimator(random_state=0)
    with pytest.warns(UserWarning, match=r"The validation loss, .* is above .*early_stopping=True"):
        model.fit(**parts)
    model.set_params(early_stopping=True).fit(**parts)
    X[:, 0] += 9 * values
    parts = {"X": X[:200], "y": values[:200], "X_val": X[200:], "y_val": values[200:]}
    model.set_params(early_stopping=False).fit(**parts)


def test_pure_noise_is_not_worse_than_chance():
    labels = rng.randint(3, size=(300, 2)) > 0
    NumpyMLPClassifier(random_state=0).fit(rng.randn(300, 5), labels[:, 0])
    NumpyMLPClassifier(random_state=0).fit(rng.randn(300, 5), labels.astype(int))


def test_the_loss_of_a_smoothed_network_is_comparable_to_the_log_loss():
    target = rng.randint(3, size=300)
    separable = np.eye(3)[target] * 10
    for smoothing in (0.0, 0.2):
        model = NumpyMLPClassifier(
            32, dropout=0, alpha=0, label_smoothing=smoothing, max_iter=100, random_state=0
        ).fit(separable, target)
        assert model.loss_ < 0.05
        assert_allclose(model.loss_, log_loss(target, model.predict_proba(separable)), atol=0.05)


@both
@pytest.mark.skipif(
    not hasattr(BaseEstimator, "_get_params_html"),
    reason="scikit-learn shows a table of parameters from version 1.7 on",
)
def test_the_html_representation_shows_what_auto_became(Estimator):
    model = Estimator(hidden_layer_sizes=8, effort=0.1, random_state=0)
    assert "'auto' = " not in unescape(model._repr_html_())
    text = unescape(model.fit(X, y)._repr_html_())
    assert text.count("'auto' = ") == list(model.get_params().values()).count("auto")
    for name in ("activation", "batch_size", "learning_rate_init", "dtype"):
        assert f"'auto' = {model.settings_[name]!r}" in text
    assert model.get_params()["activation"] == "auto"


@both
def test_settings_show_what_auto_became(Estimator):
    model = Estimator(max_iter=2).fit(X, y)
    assert "auto" not in map(str, model.settings_.values())
    names = set(model.get_params())
    assert set(model.settings_) - {"pilot_epochs", "label_smoothing"} <= names
    assert model.settings_["dropout"] == (0.0, 0.0)
    explicit = {n: v for n, v in model.settings_.items() if n in names}
    again = Estimator(**explicit).fit(X, y)
    assert again.settings_ == model.settings_
