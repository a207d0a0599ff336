"""Read what `fit` and `partial_fit` were given: validate it, and encode and weight the labels."""

from copy import copy

import numpy as np
from sklearn.utils import check_consistent_length

from sknumpynet.data import (
    Data,
    LabelEncoding,
    check_targets,
    check_weight,
    combine_weights,
    find_encoding,
)
from sknumpynet.defaults import is_auto
from sknumpynet.features import read_features

# For what partial_fit gets as third positional argument if that is no weight vector.
CLASSES_HINT = " The third position is sample_weight; pass classes by keyword: classes=..."


def copy_with(estimator, attributes):
    """Return a shallow copy of an estimator with other attributes."""
    other = copy(estimator)
    vars(other).update(attributes)
    return other


def encoding_of(estimator):
    """Return the label encoding of a fitted estimator."""
    multilabel = estimator.out_activation_ == "logistic" and estimator.n_outputs_ > 1
    return LabelEncoding(estimator.classes_, multilabel)


def read_training_data(estimator, X, y, sample_weight, classes=None, *, is_new, complete=False):
    """Validate the training data, and weight it by class.

    Parameters
    ----------
    estimator : NumpyMLPClassifier
        Is not changed.
    X, y, sample_weight, classes
        As in `fit` and `partial_fit`.
    is_new : bool
        Whether the data determine a new network, or have to fit the one of the estimator.
    complete : bool, default=False
        Whether y is all that is trained on, so that each class has to occur.

    Returns
    -------
    task : dict
        The fitted attributes that the data determine.
    encoding : LabelEncoding
    data : Data
    """
    reader = copy(estimator)  # validate_data writes n_features_in_ on it
    X, y = read_features(reader, X, reset=is_new), check_targets(y)
    check_consistent_length(X, y)
    encoding = find_encoding(y, classes) if is_new else encoding_of(estimator)
    if not is_new:
        check_continues(estimator, y, classes, complete)
    weight = check_weight(sample_weight, X.shape[0], hint="" if complete else CLASSES_HINT)
    data = Data(X, y, encoding.encode(y), weight)
    sums = encoding.class_sums(data.codes, data.weight)
    with np.errstate(over="ignore"):  # `combine_weights` refuses what becomes of an infinite sum
        sums += 0.0 if is_new or complete else estimator._resume["class_sums"]
    if estimator.class_weight is not None:
        data.weight = combine_weights(encoding, data, estimator.class_weight, sums)
    names = ("n_features_in_", "feature_names_in_")
    task = {name: vars(reader)[name] for name in names if name in vars(reader)}
    task |= {
        "classes_": encoding.classes,
        "n_outputs_": encoding.n_outputs,
        "out_activation_": encoding.loss,
        "_resume": {"class_sums": sums},
    }
    return task, encoding, data


def read_validation_data(estimator, X_val, y_val, sample_weight_val, task, encoding):
    """Validate the validation data; return None if none are given."""
    if X_val is None and y_val is None and sample_weight_val is None:
        return None
    if X_val is None or y_val is None:
        missing = "X_val" if X_val is None else "y_val"
        raise ValueError(f"{missing} is missing: X_val and y_val must be given together.")
    try:
        X = read_features(copy_with(estimator, task), X_val)
    except (TypeError, ValueError) as error:
        raise ValueError(f"X_val is not accepted: {error}") from error
    y = check_targets(y_val, "y_val")
    if len(y) != X.shape[0] or not encoding.fits(y):
        raise ValueError(
            f"y_val of shape {y.shape} is not accepted: it must have a label for each of the "
            f"{X.shape[0]} rows of X_val, in the form of y."
        )
    weight = check_weight(sample_weight_val, X.shape[0], "sample_weight_val")
    data = Data(X, y, encoding.encode(y, "y_val"), weight)
    if estimator.class_weight is not None:
        sums = task["_resume"]["class_sums"]
        data.weight = combine_weights(
            encoding, data, estimator.class_weight, sums, "sample_weight_val"
        )
    return data


def check_continues(estimator, y, classes, complete):
    """Raise if labels or architecture are not those of the network that is trained further."""
    encoding = encoding_of(estimator)
    if not encoding.fits(y):
        raise ValueError(
            f"y of shape {y.shape} does not match the network of out_activation_="
            f"{estimator.out_activation_!r} and {estimator.n_outputs_} outputs: start a new "
            "estimator."
        )
    known = encoding.classes
    if classes is not None and not np.array_equal(find_encoding(y, classes).classes, known):
        raise ValueError(
            f"classes={classes!r} differs from the first call's {known!r}: leave it out, or start "
            "a new estimator."
        )
    labels = known if encoding.multilabel else np.unique(y)
    if complete and set(labels.tolist()) != set(known.tolist()):
        raise ValueError(
            "warm_start can only be used where `y` has the same classes as in the previous call to "
            f"fit. Previously got {known}, `y` has {labels}."
        )
    hidden, sizes = estimator.hidden_layer_sizes, estimator.settings_["hidden_layer_sizes"]
    activation = estimator.settings_["activation"]
    same_sizes = is_auto(hidden) or tuple(np.ravel(hidden)) == sizes
    if not same_sizes or estimator.activation not in ("auto", activation):
        raise ValueError(
            f"hidden_layer_sizes={hidden!r}, activation={estimator.activation!r} differ from the "
            f"network's {sizes}, {activation!r}: restore them, or start a new estimator."
        )
