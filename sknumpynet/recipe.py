"""What 'auto' means: the default recipe, and scikit-learn's values where the user sets max_iter.

`docs/defaults.md` has the measurements behind the numbers.
"""

from copy import copy
from math import ceil, inf, sqrt

# Below so many training rows nothing is left to chance: no dropout, no scout, float64.
FEW_ROWS = 100
# The recipe, which may depend on the training data; and scikit-learn's value.
AUTO = {
    "hidden_layer_sizes": ((256, 256), (100,)),
    "activation": ("gelu", "relu"),
    "batch_size": (128, 200),
    "learning_rate": ("one_cycle", "constant"),
    "learning_rate_init": (0.005, 0.001),
    "first_layer_factor": (lambda data: min(max(1, sqrt(50 / max(data.spread, 0.1))), 16), 1.0),
    "beta_2": (0.98, 0.999),
    "dropout": (lambda data: 0.1 if data.n >= FEW_ROWS else 0.0, 0.0),
    "label_smoothing": (0.1, 0.0),
    "weight_decay": (0.1, 0.0),
    "n_iter_no_change": (inf, 10),
}
STEPS = 2200
MIN_EPOCHS, MAX_EPOCHS = 30, 400
LBFGS_ITERATIONS = 200


def is_recipe(model):
    """Tell whether a ``fit`` of the model follows the recipe."""
    return isinstance(model.max_iter, str) and model.solver != "lbfgs"


def settle(model, data=None):
    """Return the model's hyper-parameters, with a value for each 'auto'.

    Parameters
    ----------
    model : NumpyMLPClassifier
    data : Data or None
        To train on, all of it; None in ``partial_fit``, which has no end and so no recipe.

    Returns
    -------
    settings : NumpyMLPClassifier
        A copy; in ``partial_fit`` its ``max_iter`` is None.
    """
    settings = copy(model)
    recipe = data is not None and is_recipe(model)
    for name, (ours, theirs) in AUTO.items():
        value = getattr(settings, name)
        if isinstance(value, str) and value == "auto":
            if recipe and callable(ours):
                ours = ours(data)
            setattr(settings, name, ours if recipe else theirs)
            if name == "batch_size" and data is not None:
                settings.batch_size = min(settings.batch_size, data.n)
    if data is None:
        settings.max_iter = None
    elif recipe:
        epochs = round(STEPS / ceil(data.n / settings.batch_size))
        settings.max_iter = max(MIN_EPOCHS, min(epochs, MAX_EPOCHS))
    elif settings.max_iter == "auto":
        settings.max_iter = LBFGS_ITERATIONS
    return settings
