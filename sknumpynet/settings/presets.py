"""The presets: what each 'auto' means, by solver, by method and by the training data.

`docs/defaults.md` has the measurements behind the numbers.
"""

from math import ceil, inf, sqrt

import numpy as np

from sknumpynet.core.config import TrainingConfig
from sknumpynet.core.schedules import ANNEALING
from sknumpynet.data.split import grouped

# Below this many rows: float64.
FEW_ROWS = 50
# Below PILOT_ROWS distinct rows there is no pilot run; below CROSS_VALIDATED it is cross-validated,
# unless there are many copies of each.
PILOT_ROWS, CROSS_VALIDATED = 16, 200
# Below this many rows a minibatch is smaller, or an epoch would have few steps.
SMALL_BATCHES = 500
# From this many rows on, squared gradients are averaged over more steps.
MANY_ROWS = 20_000
# Steps of a tuned fit, unless that is too few or too many epochs.
STEPS, MIN_EPOCHS, MAX_EPOCHS = 3000, 30, 100
# A pilot run is followed by this fraction of its epochs on all rows.
FINAL_FRACTION = 0.25
# Total variance of X for which the learning rates were chosen.
REFERENCE_VARIANCE = 50
# Where a step of the first layer moves its outputs more than this, its learning rate is lower.
MOST_MOVEMENT = 10_000
# Words: at least MANY_FEATURES features, of which at most the fraction SPARSE is not 0, and not
# equally many in each row. Training on them by 'adam' takes the fraction FEW_EPOCHS of the epochs.
MANY_FEATURES, SPARSE, UNEVEN, FEW_EPOCHS = 1000, 0.02, 0.1, 0.25
# Epochs of the preset 'sklearn', and iterations of 'lbfgs'.
ITERATIONS = 200
# 'lbfgs' adds up the gradients of LBFGS_ROWS rows at a time, which bounds its memory.
LBFGS_ROWS = 8192
# No parameter that counts, and no number of epochs, is larger.
LARGEST_INT = 2**31 - 1


def input_lr_multiplier(data, values):
    """sqrt(50 / total variance of X), within [1, 16]; less for collinear features"""
    variance = max(data.inputs.total_variance, REFERENCE_VARIANCE / 16**2)
    movement = max(data.inputs.movement, 1.0)
    return min(
        sqrt(REFERENCE_VARIANCE / min(variance, REFERENCE_VARIANCE)),
        sqrt(MOST_MOVEMENT / movement),
    )


def patience(data, values):
    """np.inf; 40 with early_stopping; 10 with learning_rate='adaptive'"""
    if values["learning_rate"] == "adaptive":
        return 10
    return 40 if values["early_stopping"] else inf


def batch_size(data, values):
    """128; 32 below 500 rows"""
    return 128 if data.n >= SMALL_BATCHES else 32


def label_smoothing(data, values):
    """0.1; 0.001 if there are nearly as many classes as rows"""
    return 0.1 if has_spare_rows(data) else 0.001


def beta_2(data, values):
    """0.9; 0.95 from 20,000 rows on"""
    return 0.95 if data.n >= MANY_ROWS else 0.9


def dtype(data, values):
    """float32; float64 below 50 rows"""
    return "float32" if data.n >= FEW_ROWS else "float64"


def dtype_of_X(data, values):  # noqa: N802
    """the dtype of X if it is a float dtype, else float64"""
    return data.X.dtype.name if data.X.dtype in (np.float32, np.float64) else "float64"


COLUMNS = "adam", "sgd", "lbfgs", "partial_fit, adam", "partial_fit, sgd", "sklearn"
# fmt: off
DEFAULTS = {
    # tuned fit:             adam         sgd          lbfgs     partial_fit: adam  sgd      sklearn
    "hidden_layer_sizes":  ((256, 256),  (256, 256),  (100,),    (256, 256), (256, 256), (100,)),
    "activation":          ("gelu",      "gelu",      "tanh",    "gelu",     "gelu",     "relu"),
    "alpha":               (0.0,         1e-4,        1.0,       0.0,        1e-4,       1e-4),
    "batch_size":          (batch_size,  batch_size,  200,       16,         16,         200),
    "learning_rate":       ("one_cycle", "one_cycle", "constant",
                            "constant",  "constant",  "constant"),
    "learning_rate_init":  (0.005,       0.2,         0.001,     0.002,      0.05,       0.001),
    "input_lr_multiplier": (input_lr_multiplier, 1.0, 1.0, input_lr_multiplier, 1.0,   1.0),
    "beta_2":              (beta_2,      beta_2,      0.9,       0.98,       0.98,       0.999),
    "epsilon":             (0.0,         0.0,         0.0,       0.0,        0.0,        1e-8),
    "label_smoothing":     (label_smoothing, label_smoothing, 0.0, 0.1,      0.1,        0.0),
    "dropout":             (0.0,         0.0,         0.0,       0.0,        0.0,        0.0),
    "weight_decay":        (0.1,         0.0,         0.0,       0.1,        0.0,        0.0),
    "n_iter_no_change":    (patience,    patience,    10,        inf,        inf,        10),
    "dtype":               (dtype,       dtype,       "float64",
                            "float32",   "float32",   dtype_of_X),
}
# Where they are others for numbers.
OF_NUMBERS = {
    "hidden_layer_sizes":  ((128, 128),  (128, 128),  (100,),    (128, 128), (128, 128), (100,)),
    "learning_rate_init":  (0.005,       0.1,         0.001,     0.002,      0.02,       0.001),
}
# fmt: on
# Where they are others for words.
OF_WORDS = {
    "adam": {"hidden_layer_sizes": (100,), "input_lr_multiplier": 1.0, "dropout": 0.5},
    "partial_fit, adam": {"hidden_layer_sizes": (100,)},
}
# What a fitted network keeps when it is trained further, unless the user sets it.
KEPT = "hidden_layer_sizes", "activation", "label_smoothing", "input_lr_multiplier", "dtype"


def is_auto(value):
    """Tell whether a value is 'auto'."""
    return isinstance(value, str) and value == "auto"


def resolve(values, data, *, is_fit=True, fitted=None, validated=False):
    """Return the TrainingConfig that an estimator's parameters mean.

    Parameters
    ----------
    values : dict
        The parameters of the estimator.
    data : Data
        The training data.
    is_fit : bool, default=True
        Whether the method is `fit`; else it is `partial_fit`.
    fitted : dict or None, default=None
        ``settings_`` of the network that is trained further; None for a new one.
    validated : bool, default=False
        Whether the user passed validation data.

    Returns
    -------
    config : TrainingConfig

    Raises
    ------
    ValueError
        If parameters do not fit each other.
    """
    solver, tuned = values["solver"], values["preset"] == "tuned"
    known = solver if solver in COLUMNS else "adam"
    column = (known if is_fit else f"partial_fit, {known}") if tuned else "sklearn"
    values = dict(values)
    if solver == "lbfgs" and not validated:
        values["early_stopping"] = False
    defaults = DEFAULTS if data.targets.are_classes else DEFAULTS | OF_NUMBERS
    of_words = OF_WORDS.get(column, {})
    for name, row in defaults.items():
        if is_auto(values[name]):
            if fitted is not None and name in KEPT and not (name == "dtype" and solver == "lbfgs"):
                values[name] = fitted[name]
            else:
                default = row[COLUMNS.index(column)]
                if name in of_words and are_words(data):  # X is looked at only if it matters
                    default = of_words[name]
                values[name] = default(data, values) if callable(default) else default
    sizes = tuple(int(size) for size in np.ravel(values["hidden_layer_sizes"]))
    values["hidden_layer_sizes"] = sizes
    values["dropout"] = per_layer(values["dropout"], len(sizes))
    watched = fitted is not None or validated or values["early_stopping"]
    pilot = is_fit and tuned and solver != "lbfgs" and not watched
    pilot = pilot and data.n_distinct >= PILOT_ROWS and has_spare_rows(data)
    values["max_iter"], values["pilot_epochs"] = n_epochs(values, data, pilot) if is_fit else (1, 0)
    if not is_fit:
        endless = values["learning_rate"] not in (*ANNEALING, "adaptive")
        values["learning_rate"] = values["learning_rate"] if endless else "constant"
        values["n_iter_no_change"] = inf
    if solver == "lbfgs":
        check_lbfgs(values)
        values["batch_size"] = min(data.n, LBFGS_ROWS)
        values["n_iter_no_change"] = values["n_iter_no_change"] if values["early_stopping"] else inf
    return TrainingConfig.from_values(values)


def n_epochs(values, data, pilot):
    """Return the most epochs of a fit, or iterations of 'lbfgs', and those of its pilot run."""
    given, effort = values["max_iter"], values["effort"]
    if values["preset"] == "sklearn" or values["solver"] == "lbfgs":
        iterations = max(1, round(min(effort * ITERATIONS, LARGEST_INT)))
        return iterations if is_auto(given) else given, 0
    given = LARGEST_INT if is_auto(given) else given
    epochs = STEPS / ceil(data.n / min(values["batch_size"], data.n))
    effort *= FEW_EPOCHS if values["solver"] == "adam" and are_words(data) else 1
    epochs = min(effort * max(MIN_EPOCHS, min(epochs, MAX_EPOCHS)), LARGEST_INT)
    epochs = max(1, round(epochs))
    if not pilot:
        return min(given, epochs), 0
    # There may be a second pilot run.
    after = 1 if is_cross_validated(data) else FINAL_FRACTION
    most = min(given, ceil(epochs * (2 + after)))
    return most, min(epochs, int(most / (1 + after)))


def are_words(data):
    """Tell whether there are many features of which few are not 0, as of the words in texts."""
    if data.X.shape[1] < MANY_FEATURES:
        return False
    return data.inputs.density <= SPARSE and data.inputs.unevenness >= UNEVEN


def is_cross_validated(data):
    """Tell whether there are so few rows that the pilot run is cross-validated."""
    return len(grouped(data)[1]) < CROSS_VALIDATED


def has_spare_rows(data):
    """Tell whether a tenth of the rows can be held out without a class losing its last one.

    Copies of a row, which stay together, count once.
    """
    rows, first, _ = grouped(data)
    if data.strata is None:
        return True
    classes = np.unique(data.strata[rows[first]])
    return len(first) - len(classes) >= 0.1 * len(first)


def per_layer(dropout, n_hidden):
    """Return a dropout probability for each hidden layer."""
    rates = (dropout,) * n_hidden if np.ndim(dropout) == 0 else tuple(dropout)
    if len(rates) != n_hidden:
        raise ValueError(
            f"dropout={dropout!r} is not accepted: it must be a number, or have one for each of "
            f"the hidden layers, of which there are {n_hidden}: set hidden_layer_sizes as well."
        )
    return tuple(float(rate) for rate in rates)


def check_lbfgs(values):
    """Raise if there are parameters that act on single minibatches, which 'lbfgs' does not have."""
    names = [name for name in ("dropout", "weight_decay") if np.any(values[name])]
    if names:
        given = " and ".join(f"{name}={values[name]!r}" for name in names)
        raise ValueError(
            f"solver='lbfgs' is not accepted with {given}, which only 'sgd' and 'adam' support: "
            "leave it out and use alpha, or choose another solver."
        )
