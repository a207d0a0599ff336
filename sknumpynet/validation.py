"""The validation set: which rows are held out, and how a network does on them."""

import inspect
from copy import copy

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_array, issparse
from sklearn.metrics import get_scorer
from sklearn.model_selection import train_test_split

from sknumpynet.core.network import forward_in_blocks

# Rows that are converted to hashes at a time.
HASH_BLOCK = 4096
# Duplicates stay on one side of a split if there are at most so many rows for each distinct one.
MOST_COPIES = 4
# Standard deviation that is expected of the logarithm of the temperature.
LOG_TEMPERATURE = 0.15


def split(data, fraction, rng):
    """Return the positions of training and validation rows, stratified if every class allows it.

    Copies of a row stay on one side, so that no validation row was trained on, unless there are
    more than `MOST_COPIES` rows for each distinct one. Repetition is then a property of the data,
    as with few discrete features, and a distinct row that is held out could not be learnt from the
    others. Rows of weight 0 are on neither side.

    Raises
    ------
    ValueError
        If there would be fewer than 2 validation rows, or none to train on.
    """
    rows = data.nonzero_rows
    first, group = duplicates(data.X, rows)
    if len(first) * MOST_COPIES < len(rows):
        first = group = np.arange(len(rows))
    n = len(first)
    n_val = int(np.ceil(fraction * n))
    if n_val < 2 or n - n_val < 1:
        raise ValueError(
            f"The validation set is too small: validation_fraction={fraction} of {n} samples is "
            f"{n_val}, and at least 2 are needed, with some left to train on. Change "
            "validation_fraction, or pass X_val and y_val."
        )
    # Only the rows held out matter: scikit-learn lists the others in 40 bytes each.
    stratify, n_listed = None, 1
    if data.labels.ndim == 1:
        codes = data.codes.ravel()[rows[first]]
        counts = np.unique(codes, return_counts=True)[1]
        if counts.min() >= 2 and len(counts) <= min(n_val, n - n_val):
            stratify, n_listed = codes, len(counts)
    sizes = {"train_size": n_listed, "test_size": n_val}
    _, held_out = train_test_split(np.arange(n), **sizes, stratify=stratify, random_state=rng)
    is_held_out = np.zeros(n, bool)
    is_held_out[held_out] = True
    return rows[~is_held_out[group]], rows[is_held_out[group]]


def duplicates(X, rows):
    """Find equal rows among some rows of X.

    Returns
    -------
    first : ndarray of int of shape (n_distinct,)
        Position in `rows` of each distinct row's first copy, ascending.
    group : ndarray of int of shape (len(rows),)
        Position in `first` of each row's first copy.
    """
    hashes = np.empty(len(rows), np.int64)
    for start in range(0, len(rows), HASH_BLOCK):
        block = X[rows[start : start + HASH_BLOCK]]
        if issparse(block):
            block = csr_array(block)
            block.sum_duplicates()
            block.eliminate_zeros()
            ends = zip(block.indptr, block.indptr[1:], strict=False)
            content = ((block.indices[i:j].tobytes(), block.data[i:j].tobytes()) for i, j in ends)
        else:
            content = map(np.ndarray.tobytes, block + block.dtype.type(0))  # -0.0 becomes 0.0
        hashes[start : start + HASH_BLOCK] = [hash(row) for row in content]
    in_order = np.sort(hashes)
    if (in_order[1:] != in_order[:-1]).all():  # the usual case, which is quick to find
        first = np.arange(len(rows))
        return first, first
    _, first, group = np.unique(hashes, return_index=True, return_inverse=True)
    # Hashes differ from process to process; the order of first copies does not.
    order = np.argsort(first)
    return first[order], np.argsort(order)[group]


class ValidationSet:
    """Rows that are not trained on.

    Parameters
    ----------
    data : Data
    network : Network
    view : NumpyMLPClassifier
        Fitted but for its ``params_``, for a scorer to call; has the `scoring`.
    """

    def __init__(self, data, network, view):
        self.data, self.network, self.view, self.scoring = data, network, view, view.scoring
        self.weight = None if data.weight is None else data.weight.mean(axis=1)

    def evaluate(self, params):
        """Return the loss of the predicted probabilities, and the score.

        The loss is not finite if training has diverged.
        """
        data, loss, weight = self.data, self.network.loss, self.weight
        with np.errstate(over="ignore", invalid="ignore"):
            logits = forward_in_blocks(data.X, params, self.network)
            right = (loss.predict(logits) == data.codes).reshape(data.n, -1).all(axis=1)
            mean_loss = float(np.average(loss.log_losses(logits, data.codes), weights=weight))
        if self.scoring == "accuracy" or not np.isfinite(mean_loss):
            return mean_loss, float(np.average(right, weights=weight))
        return mean_loss, -mean_loss if self.scoring == "loss" else self.call_scorer(params)

    def temperature(self, params):
        """Return the temperature that minimises the loss of the predicted probabilities.

        ``log(T)^2 / (2 LOG_TEMPERATURE^2)`` is added to the sum over the rows, so that a small
        validation set does not move T far from 1.
        """
        data, loss = self.data, self.network.loss
        logits = forward_in_blocks(data.X, params, self.network).astype(np.float64)

        def objective(log_t):
            scaled = type(loss)(loss.smoothing, np.exp(log_t))
            losses = scaled.log_losses(logits.copy(), data.codes)
            penalty = (log_t / LOG_TEMPERATURE) ** 2 / 2
            return float(np.average(losses, weights=self.weight)) + penalty / data.n

        return float(np.exp(minimize_scalar(objective, bounds=(-2, 2), method="bounded").x))

    def call_scorer(self, params):
        scorer = get_scorer(self.scoring)
        # A scikit-learn scorer passes weights on to its metric, which may not accept them.
        accepted = inspect.signature(getattr(scorer, "_score_func", scorer)).parameters
        weights = {} if self.weight is None else {"sample_weight": self.weight}
        weights = weights if "sample_weight" in accepted else {}
        estimator = copy(self.view)
        estimator.params_ = params
        return float(scorer(estimator, self.data.X[:], self.data.labels, **weights))
