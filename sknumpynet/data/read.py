"""Read what `fit` and `partial_fit` were given: validate it, encode y and weight the rows."""

from copy import copy

from sklearn.utils import check_consistent_length

from sknumpynet.data.features import read_features
from sknumpynet.data.rows import Data, check_weight

# For what partial_fit gets as third positional argument if that is no weight vector.
CLASSES_HINT = " The third position is sample_weight; pass classes by keyword: classes=..."


def copy_with(estimator, attributes):
    """Return a shallow copy of an estimator with other attributes."""
    other = copy(estimator)
    vars(other).update(attributes)
    return other


def read_training_data(estimator, X, y, sample_weight, announced=None, *, is_new, complete=False):
    """Validate the training data, and weight it by class.

    Parameters
    ----------
    estimator : estimator
        Is not changed.
    X, y, sample_weight
        As in `fit` and `partial_fit`.
    announced : array-like, NumberTargets or None
        What is known of y of all rows, if these are a part of them: the classes, or the targets.
    is_new : bool
        Whether the data determine a new network, or have to fit the one of the estimator.
    complete : bool, default=False
        Whether y is all that is trained on, so that each class has to occur.

    Returns
    -------
    task : dict
        The fitted attributes that the data determine.
    data : Data
    """
    reader, kind = copy(estimator), estimator._targets  # validate_data writes n_features_in_
    X, y = read_features(reader, X, reset=is_new), kind.read(y)
    check_consistent_length(X, y)
    weight = check_weight(sample_weight, X.shape[0], hint="" if complete else CLASSES_HINT)
    if is_new:
        targets = estimator._new_targets(y, weight, announced)
    else:
        targets = kind.of_fitted(vars(estimator))
        targets.check_continues(y, announced, complete)
    encoded = targets.encode(y)
    targets = targets.count(encoded, weight, anew=is_new or complete)
    weight = targets.weigh(encoded, weight, estimator.class_weight)
    names = ("n_features_in_", "feature_names_in_")
    task = {name: vars(reader)[name] for name in names if name in vars(reader)}
    return task | targets.attributes(), Data(X, y, encoded, weight, targets)


def read_validation_data(estimator, X_val, y_val, sample_weight_val, task, targets):
    """Validate the validation data; return None if none are given.

    Parameters
    ----------
    estimator : estimator
        Is not changed.
    X_val, y_val, sample_weight_val
        As in `fit`.
    task, targets : dict, ClassTargets
        The fitted attributes and the targets that the training data determine.
    """
    if X_val is None and y_val is None and sample_weight_val is None:
        return None
    if X_val is None or y_val is None:
        missing = "X_val" if X_val is None else "y_val"
        raise ValueError(f"{missing} is missing: X_val and y_val must be given together.")
    try:
        X = read_features(copy_with(estimator, task), X_val)
    except (TypeError, ValueError) as error:
        raise ValueError(f"X_val is not accepted: {error}") from error
    y = targets.read(y_val, "y_val")
    if len(y) != X.shape[0] or not targets.fits(y):
        raise ValueError(
            f"y_val of shape {y.shape} is not accepted: it must be of the form of y, with one "
            f"row for each of the {X.shape[0]} rows of X_val."
        )
    name = "sample_weight_val"
    weight, encoded = check_weight(sample_weight_val, X.shape[0], name), targets.encode(y, "y_val")
    weight = targets.weigh(encoded, weight, estimator.class_weight, name)
    return Data(X, y, encoded, weight, targets)
