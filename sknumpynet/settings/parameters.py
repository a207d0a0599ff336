"""What each hyper-parameter accepts, in one row each, and the error it gives.

``row.test(value)`` tells whether a value is accepted, and ``row.words`` says what is, in the
error's sentence "<name> must be <words>".
"""

import sys
from collections.abc import Callable
from math import inf
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from sklearn.metrics import get_scorer_names

from sknumpynet.core.activations import ACTIVATIONS
from sknumpynet.core.optimizers import OPTIMIZERS
from sknumpynet.core.regression import NUMBER_LOSSES
from sknumpynet.core.schedules import SCHEDULES
from sknumpynet.settings.presets import DEFAULTS, LARGEST_INT, is_auto

LARGEST_FLOAT = sys.float_info.max
PRESETS = "tuned", "sklearn"


class Row(NamedTuple):
    """What a parameter accepts."""

    test: Callable
    words: str


class OneOf:
    """The row of a choice among strings; a registry may still grow."""

    def __init__(self, *options, registry=()):
        self.options, self.registry = options, registry

    def test(self, value):
        return isinstance(value, str) and (value in self.registry or value in self.options)

    @property
    def words(self):
        return "one of " + ", ".join(map(repr, (*self.registry, *self.options)))


def is_int(value, low):
    """Tell whether `value` is an integer (no bool) from `low` to 2^31 - 1."""
    is_number = isinstance(value, Integral) and not isinstance(value, bool | np.bool_)
    return is_number and low <= value <= LARGEST_INT


def integer(low):
    """Return the row of an integer of at least `low`."""
    return Row(lambda value: is_int(value, low), f"an int in [{low}, {LARGEST_INT}]")


def is_sequence(value):
    """Tell whether `value` is a list, tuple, range or 1-D array."""
    return isinstance(value, list | tuple | range) or (
        isinstance(value, np.ndarray) and value.ndim == 1
    )


def is_sizes(value):
    """Tell whether `value` is a layer size or a sequence of them."""
    return all(is_int(size, 1) for size in value) if is_sequence(value) else is_int(value, 1)


def number(low, high=inf, *, open_low=False, open_high=False):
    """Return the row of a real number in an interval; an open end is excluded."""

    def test(value):
        if not isinstance(value, Real) or isinstance(value, bool | np.bool_):
            return False
        if isinstance(value, np.floating):
            value = float(value)  # float32 cannot be compared with LARGEST_FLOAT
        above = low < value if open_low else low <= value
        below = value < high if open_high else value <= high
        return bool(above and below and (value <= LARGEST_FLOAT or value == inf))

    ends = f"{'(' if open_low else '['}{low}, {high}{')' if open_high else ']'}"
    return Row(test, f"a number in {ends}")


def none_or(row):
    """Return the row of what `row` accepts, or None."""
    return Row(lambda value: value is None or row.test(value), f"None or {row.words}")


def auto_or(row):
    """Return the row of what `row` accepts, or 'auto'."""
    return Row(lambda value: is_auto(value) or row.test(value), f"'auto' or {row.words}")


FLAG = Row(lambda value: isinstance(value, bool | np.bool_), "True or False")


def is_seed(value):
    """Tell whether scikit-learn's `check_random_state` accepts `value`."""
    is_number = isinstance(value, Integral) and not isinstance(value, bool)
    return (
        value is None
        or isinstance(value, np.random.RandomState)
        or (is_number and 0 <= value < 2**32)
    )


def is_dropout(value):
    """Tell whether `value` is a probability below 1, or a sequence of them."""
    test = number(0, 1, open_high=True).test
    return all(map(test, value)) if is_sequence(value) else test(value)


def is_class_weight(value):
    """Tell whether `value` is None, 'balanced' or a dict of weights."""
    if isinstance(value, dict):
        test = number(0, open_high=True).test
        return all(map(test, value.values()))
    return value is None or (isinstance(value, str) and value == "balanced")


def is_levels(value):
    """Tell whether `value` is a probability, or a sequence of different ones that ascend."""
    test = number(0, 1, open_low=True, open_high=True).test
    if not is_sequence(value):
        return test(value)
    levels = list(value)
    return bool(levels) and all(map(test, levels)) and levels == sorted(set(levels))


PARAMETERS = {
    "hidden_layer_sizes": Row(
        is_sizes,
        "an int >= 1 or a sequence of them, such as 256 or (256, 128); () has no hidden layer",
    ),
    "activation": OneOf(registry=ACTIVATIONS),
    "preset": OneOf(*PRESETS),
    "effort": number(0, open_low=True, open_high=True),
    "solver": OneOf("lbfgs", registry=OPTIMIZERS),
    "alpha": number(0, open_high=True),
    "batch_size": integer(1),
    "learning_rate": OneOf("adaptive", registry=SCHEDULES),
    "learning_rate_init": number(0, open_low=True, open_high=True),
    "input_lr_multiplier": number(0, open_high=True),
    "power_t": number(0, open_high=True),
    "max_iter": integer(1),
    "shuffle": FLAG,
    "random_state": Row(is_seed, "None, an int in [0, 2**32 - 1] or a numpy RandomState"),
    "tol": number(0),
    "verbose": Row(lambda value: FLAG.test(value) or is_int(value, 0), "a bool or an int >= 0"),
    "warm_start": FLAG,
    "momentum": number(0, 1),
    "nesterovs_momentum": FLAG,
    "early_stopping": FLAG,
    "validation_fraction": number(0, 1, open_high=True),
    "beta_1": number(0, 1, open_high=True),
    "beta_2": number(0, 1, open_high=True),
    "epsilon": number(0, open_high=True),
    "n_iter_no_change": Row(
        lambda value: is_int(value, 1) or number(inf).test(value),
        "an int >= 1 or np.inf",
    ),
    "max_fun": integer(1),
    "class_weight": Row(
        is_class_weight,
        "None, 'balanced' or a dict from class labels to finite weights >= 0",
    ),
    "dropout": Row(is_dropout, "a probability in [0, 1), or one for each hidden layer"),
    "label_smoothing": number(0, 1, open_high=True),
    "weight_decay": number(0, open_high=True),
    "scoring": Row(
        lambda value: callable(value) or value in ("loss", *get_scorer_names()),
        "'accuracy', 'loss', a scorer's name (sklearn.metrics.get_scorer_names()) or a callable "
        "scorer(estimator, X, y)",
    ),
    "max_time": Row(
        none_or(number(0, open_low=True)).test,
        "None or a number of seconds > 0",
    ),
    "dtype": OneOf("float32", "float64"),
    "loss": OneOf(registry=NUMBER_LOSSES),
    "quantile": Row(
        is_levels, "a number in (0, 1), or several in ascending order, such as [0.1, 0.5, 0.9]"
    ),
    "huber_width": number(0, open_low=True, open_high=True),
}
SYNONYMS = {"sigmoid": "logistic", "swish": "silu", "linear": "identity", "leakyrelu": "leaky_relu"}


def hint(name, value):
    """Return a sentence about a common slip, or nothing."""
    if name == "learning_rate" and isinstance(value, Real):
        return f" It is the schedule; the size is learning_rate_init={value!r}."
    if name == "activation" and isinstance(value, str) and value.lower() in SYNONYMS:
        return f" {value!r} is called {SYNONYMS[value.lower()]!r} here."
    return ""


def check_value(name, value, row):
    """Raise a ValueError that names a parameter unless its row accepts the value."""
    if not row.test(value):
        raise ValueError(
            f"{name}={value!r} is not accepted: {name} must be {row.words}.{hint(name, value)}"
        )


def check_parameters(values):
    """Raise an error naming the first parameter that has an unaccepted value.

    Parameters
    ----------
    values : dict
        The parameters of the estimator.

    Raises
    ------
    ValueError
        If a value is none of those its row accepts.
    """
    for name, row in PARAMETERS.items():
        if name not in values:
            continue
        row = auto_or(row) if name in (*DEFAULTS, "max_iter") else row
        check_value(name, values[name], row)
