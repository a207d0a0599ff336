"""Hyper-parameters that are not accepted are named, with their value and the remedy."""

import inspect

import numpy as np
import pytest

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor
from sknumpynet.core.activations import ACTIVATIONS
from sknumpynet.settings.parameters import PARAMETERS

rng = np.random.RandomState(0)
X = rng.randn(60, 3)
y = (X[:, 0] > 0).astype(int)

BAD = {
    "hidden_layer_sizes": [(100, 0), -5, "100", (10, "a"), 2.5, None, True, np.array(5), [[3]]],
    "activation": ["relus", None],
    "preset": ["fast", None],
    "effort": [0, -1, np.inf, "high"],
    "solver": ["rmsprop"],
    "alpha": [-1, "1", np.nan, np.inf, None, 10**400],
    "batch_size": [0, "all", 10.0, 10**400],
    "learning_rate": ["cosinus"],
    "learning_rate_init": [0, -1, "0.1", True],
    "input_lr_multiplier": [-1, "fast"],
    "power_t": [-1],
    "max_iter": [0, "10", 1.5, 10**20],
    "shuffle": ["yes", 1],
    "random_state": ["a", -1, 1.5, 2**32],
    "tol": [-1, "a"],
    "verbose": ["loud"],
    "warm_start": ["no"],
    "momentum": [-0.1, 1.1],
    "nesterovs_momentum": ["no"],
    "early_stopping": ["no"],
    "validation_fraction": [-0.1, 1],
    "beta_1": [1],
    "beta_2": [-1],
    "epsilon": [-1e-8],
    "n_iter_no_change": [0, 2.5, "a"],
    "max_fun": [0, 10**20],
    "class_weight": ["even", {0: -1}, [1, 2]],
    "dropout": [1.0, -0.1, "a", (0.5, 1), np.array(0.5)],
    "label_smoothing": [1, -0.1],
    "weight_decay": [-1],
    "scoring": ["precise", None],
    "max_time": [0, "long"],
    "dtype": ["float16", np.float32],
}
CASES = [(name, value) for name, values in BAD.items() for value in values]


def test_every_parameter_has_a_row_and_a_bad_value_here():
    names = set(inspect.signature(NumpyMLPClassifier).parameters)
    assert set(BAD) == names
    assert set(PARAMETERS) == names | set(inspect.signature(NumpyMLPRegressor).parameters)


@pytest.mark.parametrize(("name", "value"), CASES)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_bad_value_is_named_with_what_is_accepted(name, value, method):
    model = NumpyMLPClassifier(4).set_params(**{name: value})
    words = PARAMETERS[name].words
    with pytest.raises(ValueError, match=name) as caught:
        getattr(model, method)(X, y)
    assert str(caught.value).startswith(f"{name}={value!r} is not accepted: {name} must be ")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({"learning_rate": 0.01}, "learning_rate_init=0.01"),
        ({"activation": "sigmoid"}, "'logistic'"),
        ({"activation": "Swish"}, "'silu'"),
        ({"activation": "linear"}, "'identity'"),
    ],
)
def test_a_common_slip_gets_the_remedy(settings, remedy):
    with pytest.raises(ValueError, match="is not accepted") as caught:
        NumpyMLPClassifier(**settings).fit(X, y)
    assert remedy in str(caught.value).partition(".")[2]


def test_lbfgs_names_the_parameters_that_it_does_not_support():
    with pytest.raises(ValueError, match=r"solver='lbfgs' .* dropout=\(0\.1,\), which"):
        NumpyMLPClassifier(4, solver="lbfgs", dropout=0.1).fit(X, y)
    with pytest.raises(ValueError, match=r"solver='lbfgs' .* with weight_decay=0\.1, which"):
        NumpyMLPClassifier(4, solver="lbfgs", weight_decay=0.1).fit(X, y)


def test_a_validation_fraction_of_0_is_refused_only_where_rows_are_held_out():
    model = NumpyMLPClassifier(4, validation_fraction=0, max_iter=2)
    model.fit(X, y)
    model.set_params(early_stopping=True).fit(X, y, X_val=X, y_val=y)
    with pytest.raises(ValueError, match=r"validation_fraction=0\.0 of 60 samples is 0"):
        model.fit(X, y)


@pytest.mark.parametrize("settings", [{}, {"preset": "sklearn"}, {"solver": "lbfgs"}])
@pytest.mark.parametrize("effort", [1e20, 1e308])
def test_any_effort_is_a_number_of_epochs(settings, effort):
    model = NumpyMLPClassifier(4, effort=effort, max_time=0.05, **settings).fit(X, y)
    assert model.settings_["max_iter"] <= 2**31 - 1


def test_a_choice_includes_what_was_registered_later(monkeypatch):
    monkeypatch.setitem(ACTIVATIONS, "mine", ACTIVATIONS["tanh"])
    assert PARAMETERS["activation"].test("mine")
    assert "'mine'" in PARAMETERS["activation"].words


@pytest.mark.parametrize("settings", [{"alpha": 1e308}, {"alpha": 1e25, "solver": "sgd"}])
def test_a_huge_penalty_is_blamed_on_alpha(settings):
    with pytest.raises(ValueError, match="alpha=1e"):
        NumpyMLPClassifier(4, **settings).fit(X, y)


def test_divergence_is_blamed_on_what_is_large():
    with pytest.raises(ValueError, match=r"Lower learning_rate_init=0\.005 or input_lr_mult"):
        NumpyMLPClassifier(4, input_lr_multiplier=1e300).fit(X, y)
    with pytest.raises(ValueError, match=r"Lower learning_rate_init=1e\+30, and scale X"):
        NumpyMLPClassifier(4, solver="sgd", learning_rate_init=1e30).fit(X, y)


def test_a_subclass_may_have_its_own_constructor():
    class Small(NumpyMLPClassifier):
        def __init__(self, **settings):
            super().__init__(hidden_layer_sizes=4, **settings)

    assert Small(max_iter=2).fit(X, y).n_layers_ == 3

    class Renamed(NumpyMLPClassifier):
        def __init__(self, width=4):
            super().__init__(hidden_layer_sizes=width, max_iter=2)
            self.width = width

    assert Renamed(5).fit(X, y).coefs_[0].shape == (3, 5)
