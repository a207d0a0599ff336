"""What each hyper-parameter accepts, one row each, and the error it gives.

A row is (test, words): ``test(value)`` tells whether the value is accepted, and ``words`` says
what would be, in the error's sentence "<name> must be <words>".
"""

from math import inf
from numbers import Integral, Real

import numpy as np
from sklearn.metrics import get_scorer_names

from sknumpynet.activations import ACTIVATIONS
from sknumpynet.optimizers import OPTIMIZERS
from sknumpynet.recipe import AUTO
from sknumpynet.schedules import SCHEDULES


def is_int(value, low):
    """Tell whether `value` is an integer (no bool) of at least `low`."""
    return isinstance(value, Integral) and not isinstance(value, bool) and value >= low


def is_sizes(value):
    """Tell whether `value` is a layer size or a sequence of them."""
    if isinstance(value, list | tuple | range | np.ndarray):
        return all(is_int(size, 1) for size in value)
    return is_int(value, 1)


def number(low, high=inf, *, open_low=False, open_high=False):
    """Return the row of a real number in an interval; an open end is excluded."""

    def test(value):
        if not isinstance(value, Real) or isinstance(value, bool | np.bool_):
            return False
        above = low < value if open_low else low <= value
        return bool(above and (value < high if open_high else value <= high))

    ends = f"{'(' if open_low else '['}{low}, {high}{')' if open_high else ']'}"
    return test, f"a number in {ends}"


def one_of(*options):
    """Return the row of a choice among strings."""
    return (
        lambda value: isinstance(value, str) and value in options,
        "one of " + ", ".join(map(repr, options)),
    )


def auto_or(row):
    """Return the row of what `row` accepts, or 'auto'."""
    test, words = row
    return lambda value: one_of("auto")[0](value) or test(value), f"'auto' or {words}"


FLAG = (lambda value: isinstance(value, bool | np.bool_), "True or False")
SWITCH = (
    lambda value: FLAG[0](value) or is_int(value, 0),
    "True, False or an int >= 0",
)


def is_seed(value):
    """Tell whether scikit-learn's `check_random_state` takes `value`."""
    return (
        value is None
        or isinstance(value, np.random.RandomState)
        or (is_int(value, 0) and value < 2**32)
    )


def is_dropout(value):
    """Tell whether `value` is a probability below 1, or a sequence of them."""
    test, _ = number(0, 1, open_high=True)
    if isinstance(value, list | tuple | np.ndarray):
        return all(map(test, value))
    return test(value)


def is_class_weight(value):
    """Tell whether `value` is None, 'balanced' or a dict of weights."""
    if isinstance(value, dict):
        test, _ = number(0, open_high=True)
        return all(map(test, value.values()))
    return value is None or (isinstance(value, str) and value == "balanced")


PARAMETERS = {
    "hidden_layer_sizes": (
        is_sizes,
        "an int >= 1 or a sequence of them, such as 256 or (256, 128); () has no hidden layer",
    ),
    "activation": one_of(*ACTIVATIONS),
    "solver": one_of(*OPTIMIZERS, "lbfgs"),
    "alpha": number(0, open_high=True),
    "batch_size": (lambda value: is_int(value, 1), "an int >= 1"),
    "learning_rate": one_of(*SCHEDULES, "adaptive"),
    "learning_rate_init": number(0, open_low=True, open_high=True),
    "first_layer_factor": number(0, open_high=True),
    "power_t": number(0, open_high=True),
    "max_iter": (lambda value: is_int(value, 1), "an int >= 1"),
    "shuffle": FLAG,
    "random_state": (is_seed, "None, an int in [0, 2**32 - 1] or a numpy RandomState"),
    "tol": number(0),
    "verbose": SWITCH,
    "warm_start": FLAG,
    "momentum": number(0, 1),
    "nesterovs_momentum": FLAG,
    "early_stopping": FLAG,
    "validation_fraction": number(0, 1, open_low=True, open_high=True),
    "beta_1": number(0, 1, open_high=True),
    "beta_2": number(0, 1, open_high=True),
    "epsilon": number(0, open_low=True, open_high=True),
    "n_iter_no_change": (
        lambda value: is_int(value, 1) or number(inf)[0](value),
        "an int >= 1 or np.inf",
    ),
    "max_fun": (lambda value: is_int(value, 1), "an int >= 1"),
    "class_weight": (
        is_class_weight,
        "None, 'balanced' or a dict from class labels to finite weights >= 0",
    ),
    "dropout": (
        is_dropout,
        "a probability in [0, 1), or a sequence of them, one for each hidden layer",
    ),
    "label_smoothing": number(0, 1, open_high=True),
    "weight_decay": number(0, open_high=True),
    "scoring": (
        lambda value: callable(value) or one_of("loss", *get_scorer_names())[0](value),
        "'accuracy', 'loss', a scorer's name (sklearn.metrics.get_scorer_names()) or a callable "
        "scorer(estimator, X, y)",
    ),
    "max_time": (
        lambda value: value is None or number(0, open_low=True)[0](value),
        "None or a number of seconds > 0",
    ),
    "dtype": one_of("auto", "float32", "float64"),
}


for name in (*AUTO, "max_iter"):
    PARAMETERS[name] = auto_or(PARAMETERS[name])


def check_parameters(estimator):
    """Raise an error naming the first of the estimator's parameters with an unaccepted value.

    Raises
    ------
    ValueError
        If a value is none of those its row accepts.
    """
    values = estimator.get_params(deep=False)
    for name, (test, words) in PARAMETERS.items():
        if not test(values[name]):
            raise ValueError(f"{name}={values[name]!r} is not accepted: {name} must be {words}.")
