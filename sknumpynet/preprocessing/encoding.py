"""The encoding of features: its intervals, and whether it is of use."""

import warnings

import numpy as np
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sknumpynet.classifier import NumpyMLPClassifier
from sknumpynet.data.classes import ClassTargets
from sknumpynet.data.numbers import NumberTargets
from sknumpynet.preprocessing.robust import blocks, clipped, divided, quantiles
from sknumpynet.regressor import NumpyMLPRegressor

# One bin per ROWS_PER_BIN distinct rows and feature, at most MOST_BINS; none below FEWEST_BINS.
# A number says more than a class does, so that fewer rows are enough for one.
ROWS_PER_BIN = {ClassTargets: 25, NumberTargets: 4, None: 25}
MOST_BINS, FEWEST_BINS = 24, 4
# No encoding if other models err less than BETTER times as often as a linear model of it.
BETTER = 1 / 2
# For numbers: no encoding unless a network of it errs less than WORTH times as much.
WORTH = 0.94
# The tree of a feature has at most LEAVES leaves, each of at least LEAST_ROWS rows, and of the
# fraction LEAF of all. Trees are of use if networks of N_FOLDS folds err less than WORTH times as
# much with them.
LEAVES, LEAF, LEAST_ROWS, N_FOLDS = 8, 0.01, 5, 3
# No trees are tried of more features, as they would take longer than training does, and of fewer
# rows, as the networks would tell too little.
MOST_TREES, FEWEST_ROWS = 100, 200
# The encoding ranges from -ENCODED to ENCODED. The network learns slowly from small inputs, so that
# it follows the scaled features first.
ENCODED = 0.25
# The small networks that try an encoding.
SMALL = {"hidden_layer_sizes": (64, 64), "effort": 0.25, "random_state": 0}


def auto_bins(n_rows, n_features, kind):
    """Return the number of bins for the numbers of distinct rows and features.

    ``kind`` is the class of the targets, or None without y.
    """
    n_bins = min(MOST_BINS, n_rows // (ROWS_PER_BIN[kind] * max(1, n_features)))
    return n_bins if n_bins >= FEWEST_BINS else 0


def find_edges(X, weight, scaling, n_bins):
    """Return the bounds, in z, of the intervals of each feature; none if there would be only one.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    weight : ndarray of shape (n_samples,)
    scaling : Scaling
    n_bins : int
    """
    edges = no_edges(X.shape[1])
    if n_bins < 2:
        return edges
    for features, values, weights in blocks(X, weight, np.flatnonzero(~scaling.is_binary)):
        center, scale, gross = (a[features, None] for a in scaling[:3])
        u = values - center
        usual_weight = np.where(np.abs(u) < gross, weights, 0)
        bounds = quantiles(u, usual_weight, np.linspace(0, 1, n_bins + 1))
        z = clipped(divided(bounds, scale)).astype(np.float32)
        for feature, row in zip(features, map(np.unique, z), strict=True):
            edges[feature] = row if len(row) > 2 else row[:0]
    return edges


def find_tree_edges(Z, targets, kind, features):
    """Return the bounds of the intervals in which a decision tree of each feature splits it.

    Few intervals that know y are of use where rows are too few for many that do not.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, n_features)
        The scaled features.
    targets : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        As `kind` reads them.
    kind : {ClassTargets, NumberTargets}
    features : ndarray of int
        Those that are not binary.
    """
    make = DecisionTreeClassifier if kind is ClassTargets else DecisionTreeRegressor
    fewest = max(LEAST_ROWS, int(LEAF * len(Z)))
    edges = no_edges(Z.shape[1])
    for j in features:
        z = Z[:, [j]]
        tree = make(max_leaf_nodes=LEAVES, min_samples_leaf=fewest, random_state=0)
        tree = tree.fit(z, targets).tree_
        bounds = np.append(tree.threshold[tree.feature >= 0], [z.min(), z.max()])
        bounds = np.unique(bounds.astype(np.float32))  # neighbours may be equal only in float32
        if len(bounds) > 2:
            edges[j] = bounds
    return edges


def piecewise(Z, edges):
    """Return the encoding of scaled features, with a column for each interval."""
    steps = [
        np.clip((Z[:, [j]] - bounds[:-1]) / np.diff(bounds), 0, 1)
        for j, bounds in enumerate(edges)
        if len(bounds)
    ]
    return np.concatenate([Z[:, :0], *(ENCODED * (2 * step - 1) for step in steps)], axis=1)


def no_edges(n_features):
    """Return the bounds of no intervals."""
    return [np.empty(0, np.float32) for _ in range(n_features)]


def is_of_use(encoded, n_features, kind, targets):
    """Tell whether a network learns better from the encoding than from the scaled features alone.

    For numbers, a small network of both is the measure. For classes it would be too rough: an
    encoding shows what single features say, so a linear model of it is compared with the nearest
    row, which knows what features say together. But a network may find that only with the encoding,
    such as the fields of a checkerboard. So both, the nearest row and a small network of the scaled
    features, have to err much less often than the linear model.

    Parameters
    ----------
    encoded : ndarray of shape (n_samples, n_features_out)
        The scaled features, and then their encoding.
    n_features : int
    kind : {ClassTargets, NumberTargets}
    targets : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        As `kind` reads them.
    """
    scaled = encoded[:, :n_features]
    train, test = train_test_split(np.arange(len(targets)), random_state=0)

    def error(model, Z):
        return 1 - model.fit(Z[train], targets[train]).score(Z[test], targets[test])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they would be about models the user does not know of
        if kind is NumberTargets:
            network = NumpyMLPRegressor(**SMALL)
            return error(network, encoded) < WORTH * error(network, scaled)
        nearest = error(KNeighborsClassifier(1), scaled)
        if nearest >= BETTER:  # the linear model does not err more often than always
            return True
        limit = BETTER * error(RidgeClassifier(), encoded)
        return nearest >= limit or error(NumpyMLPClassifier(**SMALL), scaled) >= limit


def may_have_trees(n_rows, n_features):
    """Tell whether trees are tried at all."""
    return n_features <= MOST_TREES and n_rows >= FEWEST_ROWS


def are_trees_of_use(Z, targets, kind, features):
    """Tell whether a small network learns better with the intervals of `find_tree_edges`.

    They are found anew for each fold: what they know of y would be no evidence otherwise.
    """
    make = KFold
    if kind is ClassTargets:
        make = StratifiedKFold
        counts = np.unique(targets, return_counts=True)[1]
        if targets.ndim > 1 or len(counts) < 2 or counts.min() < N_FOLDS:
            return False
    losses = np.zeros(2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they would be about models the user does not know of
        for train, test in make(N_FOLDS, shuffle=True, random_state=0).split(Z, targets):
            edges = find_tree_edges(Z[train], targets[train], kind, features)
            for k, X in enumerate((Z, np.hstack([Z, piecewise(Z, edges)]))):
                losses[k] += small_loss(X[train], X[test], targets[train], targets[test], kind)
    return bool(losses[1] < WORTH * losses[0])


def small_loss(X, X_test, y, y_test, kind):
    """Return the log-loss, or the unexplained variance, of a small network."""
    if kind is NumberTargets:
        return 1 - NumpyMLPRegressor(**SMALL).fit(X, y).score(X_test, y_test)
    network = NumpyMLPClassifier(**SMALL).fit(X, y)
    return log_loss(y_test, network.predict_proba(X_test), labels=network.classes_)
