"""What 'auto' means, and the scout."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from sknumpynet import NumpyMLPClassifier
from sknumpynet.losses import undo_smoothing
from sknumpynet.recipe import AUTO, FEW_ROWS, MAX_EPOCHS, MIN_EPOCHS, settle


@pytest.mark.parametrize("name", AUTO)
def test_auto_is_the_recipe_or_scikit_learns_value_and_a_value_is_itself(name):
    ours, theirs = AUTO[name]
    ours = ours(30) if callable(ours) else ours
    whole = settle(NumpyMLPClassifier(), (5000, 30))
    assert getattr(whole, name) == ours
    for model, shape in [
        (NumpyMLPClassifier(max_iter=7), (5000, 30)),
        (NumpyMLPClassifier(solver="lbfgs"), (5000, 30)),
        (NumpyMLPClassifier(), None),
    ]:
        assert getattr(settle(model, shape), name) == theirs
    for model in (NumpyMLPClassifier(**{name: theirs}), NumpyMLPClassifier(**{name: ours})):
        assert getattr(settle(model, (5000, 30)), name) == getattr(model, name)
    assert getattr(NumpyMLPClassifier(), name) == "auto"


def test_settling_leaves_the_model_alone():
    model = NumpyMLPClassifier()
    before = model.get_params()
    settle(model, (1000, 30))
    assert model.get_params() == before


@pytest.mark.parametrize("n", [10, 500, 5000, 60_000, 10**7])
def test_epochs_stay_in_their_bounds_and_never_grow_with_n(n):
    epochs = settle(NumpyMLPClassifier(), (n, 30)).max_iter
    assert MIN_EPOCHS <= epochs <= MAX_EPOCHS
    assert settle(NumpyMLPClassifier(), (2 * n, 30)).max_iter <= epochs


def test_few_features_learn_faster_within_bounds():
    factors = [settle(NumpyMLPClassifier(), (500, d)).first_layer_factor for d in (1, 4, 64, 784)]
    assert factors == [8, 4, 1, 1]


def test_nothing_is_left_to_chance_on_few_rows():
    assert settle(NumpyMLPClassifier(), (FEW_ROWS - 1, 30)).dropout == 0
    assert settle(NumpyMLPClassifier(), (FEW_ROWS, 30)).dropout > 0


def test_the_scout_cuts_training_short_where_labels_are_noise_and_only_there():
    rng = np.random.RandomState(0)
    X = rng.randn(600, 10)
    noise = rng.randint(2, size=600)
    clean = X[:, 0] + X[:, 1] > 0
    budget = settle(NumpyMLPClassifier(), (600, 10)).max_iter
    model = NumpyMLPClassifier(hidden_layer_sizes=64, random_state=0)
    assert model.fit(X, noise).n_iter_ < budget / 5
    assert model.fit(X, np.where(rng.rand(600) < 0.3, ~clean, clean)).n_iter_ < budget / 2
    assert model.fit(X[:, :2] * 5, clean).n_iter_ > budget / 2


def test_no_scout_goes_where_the_user_watches_or_counts():
    rng = np.random.RandomState(0)
    X, y = rng.randn(300, 5), rng.randint(2, size=300)
    watched = NumpyMLPClassifier(16, random_state=0).fit(X, y, X_val=X[:50], y_val=y[:50])
    assert watched.n_iter_ == settle(watched, (300, 5)).max_iter
    counted = NumpyMLPClassifier(16, max_iter=30, n_iter_no_change=np.inf, learning_rate="linear")
    assert counted.fit(X, y).n_iter_ == 30


def test_the_recipe_is_repeatable_and_says_nothing_of_the_scout(capsys):
    rng = np.random.RandomState(0)
    X, y = rng.randn(300, 5), rng.randint(3, size=300)
    one, two = (NumpyMLPClassifier(16, random_state=0, verbose=True).fit(X, y) for _ in range(2))
    assert one.loss_curve_ == two.loss_curve_
    assert len(capsys.readouterr().out.splitlines()) == one.n_iter_ + two.n_iter_


def test_fit_may_be_followed_by_partial_fit():
    rng = np.random.RandomState(0)
    X, y = rng.randn(300, 5), rng.randint(3, size=300)
    model = NumpyMLPClassifier(random_state=0).fit(X, y)
    epochs = model.n_iter_
    assert model.partial_fit(X, y).n_iter_ == epochs + 1
    assert model._sizes == [5, 256, 256, 3]
    assert model._smoothing == AUTO["label_smoothing"][0]


def test_partial_fit_after_the_recipe_trains_the_network_that_predicts():
    rng = np.random.RandomState(0)
    X, y = rng.randn(300, 5), rng.randint(3, size=300)
    model = NumpyMLPClassifier(random_state=0, alpha=0.0, label_smoothing=0.0).fit(X, y)
    assert model._activation == "gelu"
    # With a learning rate of nearly 0 the loss of the pass is that of the model.
    model.set_params(learning_rate_init=1e-30).partial_fit(X, y)
    assert_allclose(model.loss_, log_loss(y, model.predict_proba(X)), rtol=1e-5)


def test_rows_of_weight_zero_are_neither_scouted_nor_held_out():
    rng = np.random.RandomState(0)
    X, y = rng.randn(600, 5), rng.randint(2, size=600)
    weight = (np.arange(600) < 300).astype(float)
    settings = {"hidden_layer_sizes": 8, "random_state": 0}
    for extra in ({}, {"early_stopping": True}):
        model = NumpyMLPClassifier(**settings, **extra).fit(X, y, weight)
        assert np.isfinite(model.loss_)
    assert model.t_ == 270 * model.n_iter_


@pytest.mark.parametrize("e", [0.05, 0.3])
def test_smoothing_is_undone_but_for_a_bounded_rest(e):
    p = np.array([[0.7, 0.2, 0.1], [1.0, 0.0, 0.0]])
    k = p.shape[1]
    q = (1 - e) * p + e / k
    assert_allclose(undo_smoothing(q, e), p, atol=0.02 * e)
    # The order of answers is kept also where smoothing leaves no room for them.
    q = np.array([[0.9, 0.07, 0.03]]) if e == 0.3 else np.array([[0.99, 0.007, 0.003]])
    assert (np.diff(undo_smoothing(q, e)) < 0).all()


def test_probabilities_of_the_recipe_beat_the_base_rate_on_noise():
    rng = np.random.RandomState(0)
    X = rng.randn(1200, 8)
    y = (rng.rand(1200) < 1 / (1 + np.exp(-X[:, 0]))).astype(int)
    X, X_test, y, y_test = train_test_split(X, y, random_state=0)
    proba = NumpyMLPClassifier(random_state=0).fit(X, y).predict_proba(X_test)
    best = log_loss(y_test, 1 / (1 + np.exp(-X_test[:, 0])))
    assert log_loss(y_test, proba) < best + 0.08
