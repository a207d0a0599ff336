"""The settings of a training: a value for every hyper-parameter."""

from dataclasses import dataclass, fields
from numbers import Real
from typing import Any

import numpy as np

# The settings that count something; other numbers are floats.
COUNTS = {"batch_size", "max_iter", "pilot_epochs", "max_fun"}


@dataclass(frozen=True)
class TrainingConfig:
    """A value for every hyper-parameter of a training; see `NumpyMLPClassifier`.

    ``hidden_layer_sizes`` and ``dropout`` have an entry for each hidden layer, ``max_iter`` is
    the largest number of epochs, ``pilot_epochs`` those of its pilot run or 0, and ``dtype`` is
    'float32' or 'float64'.
    """

    hidden_layer_sizes: tuple
    activation: str
    solver: str
    alpha: float
    batch_size: int
    learning_rate: str
    learning_rate_init: float
    power_t: float
    max_iter: int
    pilot_epochs: int
    shuffle: bool
    tol: float
    momentum: float
    nesterovs_momentum: bool
    early_stopping: bool
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    n_iter_no_change: float
    max_fun: int
    dropout: tuple
    label_smoothing: float
    input_lr_multiplier: float
    weight_decay: float
    dtype: str

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> "TrainingConfig":
        """Return the settings from a dict, which may have lists, and numbers of NumPy's."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: plain(values[name], name in COUNTS) for name in names})


def plain(value: Any, is_count: bool) -> Any:
    """Return a number as Python's int or float, a list as a tuple, and a text as it is."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, Real):
        return int(value) if is_count else float(value)
    return tuple(value) if isinstance(value, list) else value
