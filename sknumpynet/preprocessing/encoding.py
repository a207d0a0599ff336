"""The encoding of features: its intervals, and whether it is of use."""

import warnings

import numpy as np
from scipy.sparse import issparse
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

from sknumpynet.classifier import NumpyMLPClassifier
from sknumpynet.data.classes import ClassTargets
from sknumpynet.data.labels import read_labels
from sknumpynet.preprocessing.robust import clipped, divided, quantiles

# One bin per ROWS_PER_BIN distinct rows and feature, at most MOST_BINS; none below FEWEST_BINS.
ROWS_PER_BIN, MOST_BINS, FEWEST_BINS = 25, 24, 4
# No encoding if other models err less than BETTER times as often as a linear model of it.
BETTER = 1 / 2


def auto_bins(n_rows, n_features):
    """Return the number of bins for the numbers of distinct rows and features, without y."""
    n_bins = min(MOST_BINS, n_rows // (ROWS_PER_BIN * max(1, n_features)))
    return n_bins if n_bins >= FEWEST_BINS else 0


def find_edges(values, weight, center, scale, gross, n_bins):
    """Return the bounds, in z, of the intervals of each feature; none if there would be only one.

    Parameters
    ----------
    values, weight : ndarray of shape (n, n_values)
    center, scale, gross : ndarray of shape (n,)
    n_bins : int
    """
    u = values - center[:, None]
    usual_weight = np.where(np.abs(u) < gross[:, None], weight, 0)
    bounds = quantiles(u, usual_weight, np.linspace(0, 1, n_bins + 1))
    z = clipped(divided(bounds, scale[:, None])).astype(np.float32)
    edges = [np.unique(row) for row in z]
    return [e if len(e) > 2 else e[:0] for e in edges]


def learns_without(encoded, n_features, labels):
    """Tell whether features act together, in a way that a network learns without their encoding.

    An encoding shows what single features say, so a linear model of it is the measure. The nearest
    row knows what features say together; but a network may find that only with the encoding, such
    as the fields of a checkerboard. So both, the nearest row and a small network of the scaled
    features, have to err much less often than the linear model.

    Parameters
    ----------
    encoded : ndarray of shape (n_samples, n_features_out)
        The scaled features, and then their encoding.
    n_features : int
    labels : ndarray of shape (n_samples,) or (n_samples, n_labels)
    """
    scaled = encoded[:, :n_features]
    train, test = train_test_split(np.arange(len(labels)), random_state=0)

    def error(model, Z):
        return 1 - model.fit(Z[train], labels[train]).score(Z[test], labels[test])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they would be about models the user does not know of
        nearest = error(KNeighborsClassifier(1), scaled)
        if nearest >= BETTER:  # the linear model does not err more often than always
            return False
        limit = BETTER * error(RidgeClassifier(), encoded)
        if nearest >= limit:
            return False
        network = NumpyMLPClassifier((64, 64), effort=0.25, random_state=0)
        return error(network, scaled) < limit


def class_labels(y, rows):
    """Return the class labels of some rows, or None if y is anything else."""
    try:
        labels = read_labels(y)
        labels = labels.tocsr() if issparse(labels) else labels
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ClassTargets.read(labels[rows])
    except (TypeError, ValueError):
        return None
