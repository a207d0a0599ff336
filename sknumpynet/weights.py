"""Weights: what each row counts, by itself and by its class."""

import numpy as np
from sklearn.utils import check_array


def class_masses(codes, weight, n_classes):
    """Return how much each class weighs in each column of `codes`.

    Parameters
    ----------
    codes : ndarray of int of shape (n,) or (n, n_columns)
    weight : ndarray of shape (n, 1) or None
    n_classes : int

    Returns
    -------
    masses : ndarray of shape (n_columns, n_classes)
    """
    weight = None if weight is None else weight[:, 0]
    columns = codes.reshape(len(codes), -1).T
    return np.stack([np.bincount(column, weight, n_classes) for column in columns]).astype(float)


def weigh_classes(class_weight, classes, masses, codes, weight):
    """Return weights (n, n_columns): those of the rows times those of their classes.

    Parameters
    ----------
    class_weight : 'balanced' or dict
        A dict from label to weight, 1 where a label is missing; 'balanced' gives the classes that
        occur in a column the same sum of weights, and keeps the column's total.
    classes : ndarray of shape (n_classes,)
    masses : ndarray of shape (n_columns, n_classes)
    codes : ndarray of int of shape (n,) or (n, n_columns)
    weight : ndarray of shape (n, 1) or None

    Raises
    ------
    ValueError
        If a label of `class_weight` is not among the classes, or if all weights become zero.
    """
    if isinstance(class_weight, str):
        share = masses.sum(axis=1, keepdims=True) / (masses > 0).sum(axis=1, keepdims=True)
        per_class = share / np.where(masses > 0, masses, share)
    else:
        labels = classes.tolist()
        unknown = set(class_weight) - set(labels)
        if unknown:
            raise ValueError(
                f"class_weight has labels that are not among the classes: {unknown}. The classes "
                f"are {classes}."
            )
        weights = [class_weight.get(label, 1.0) for label in labels]
        per_class = np.broadcast_to(np.array(weights, float), masses.shape)
    weights = per_class[np.arange(len(masses)), codes.reshape(len(codes), -1)]
    weights = weights if weight is None else weights * weight
    if not weights.any():
        raise ValueError("class_weight and sample_weight leave every row with weight 0.")
    return weights


def check_weight(sample_weight, n, name="sample_weight"):
    """Return the sample weights as float64 of shape (n, 1), or None.

    Raises
    ------
    ValueError
        If they are not one finite number >= 0 for each of the n rows, or all zero.
    """
    if sample_weight is None:
        return None
    weight = check_array(sample_weight, dtype=np.float64, ensure_2d=False, input_name=name)
    if weight.shape != (n,):
        raise ValueError(
            f"{name} of shape {weight.shape} is not accepted: it must have one number for each of "
            f"the {n} rows. Classes go by keyword, classes=..."
        )
    if weight.min() < 0:
        raise ValueError(f"{name} holds {weight.min()}: every weight must be >= 0.")
    if not weight.any():
        raise ValueError(f"{name} is all zero: at least one row must count.")
    return weight[:, None]
