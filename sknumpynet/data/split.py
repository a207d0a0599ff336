"""Which rows are held out, which are equal and stay together, and which stand for all."""

import numpy as np
from scipy.sparse import csr_array, issparse
from sklearn.model_selection import train_test_split

# Rows that are converted to hashes at a time.
HASH_BLOCK = 4096
# Up to MOST_COPIES rows for each distinct one are taken for copies, whatever the features.
MOST_COPIES = 4


def split(data, fraction, rng):
    """Return the positions of training and validation rows, stratified if every class allows it.

    Copies of a row, as `grouped` finds them, stay on one side, so that no validation row was
    trained on. Rows of weight 0 are on neither side.

    Raises
    ------
    ValueError
        If there would be fewer than 2 validation rows, or none to train on.
    """
    rows, first, group = grouped(data)
    n = len(first)
    n_val = int(np.ceil(fraction * n))
    if n_val < 2 or n - n_val < 1:
        raise ValueError(
            f"The validation set is too small: validation_fraction={fraction} of {n} samples is "
            f"{n_val}, and at least 2 are needed, with some left to train on. Change "
            "validation_fraction, or pass X_val and y_val."
        )
    # Only the rows held out matter: scikit-learn lists the others in 40 bytes each.
    candidates, stratify, n_listed = np.arange(n), None, 1
    if data.strata is not None:
        codes = data.strata[rows[first]]
        counts = np.unique(codes, return_counts=True)[1]
        if counts.min() >= 2 and len(counts) <= min(n_val, n - n_val):
            stratify, n_listed = codes, len(counts)
        elif n - len(counts) > 2:  # a row of each class is trained on
            shuffled = rng.permutation(n)
            candidates = np.delete(shuffled, np.unique(codes[shuffled], return_index=True)[1])
            n_val = min(n_val, len(candidates) - 1)
    sizes = {"train_size": n_listed, "test_size": n_val}
    _, held_out = train_test_split(candidates, **sizes, stratify=stratify, random_state=rng)
    is_held_out = np.zeros(n, bool)
    is_held_out[held_out] = True
    return rows[~is_held_out[group]], rows[is_held_out[group]]


def grouped(data):
    """Return the rows with a weight, and the groups of them that stay together.

    These are the copies of a row, unless a few discrete features make rows equal: there are more
    than `MOST_COPIES` rows for each distinct one, and no more distinct values than distinct rows.
    Repetition is then a property of the data, and a distinct row that is held out could not be
    learnt from the others.

    Returns
    -------
    rows, first, group : ndarray of int
        As of `duplicates`, with ``rows`` as positions in the data.
    """
    rows, (first, group) = data.nonzero_rows, data.distinct
    if len(first) * MOST_COPIES < len(rows):
        X = data.X[rows[first]]
        n_values = data.once("n_values", lambda: len(np.unique(X.data if issparse(X) else X)))
        if n_values <= len(first):
            first = group = np.arange(len(rows))
    return rows, first, group


def folds_of(data, n_folds, rng):
    """Return the positions of the rows of each fold; the only row of a class is in none.

    The rows of each class, in random order, go to the folds in turn. Copies of a row stay together
    as in `split`.
    """
    rows, first, group = grouped(data)
    order = rng.permutation(len(first))
    is_single = np.zeros(len(first), bool)
    if data.strata is not None:
        codes = data.strata[rows[first]]
        order = order[np.argsort(codes[order], kind="stable")]
        is_single = np.bincount(codes)[codes] == 1
    order = order[~is_single[order]]
    fold = np.full(len(first), -1)
    fold[order] = np.arange(len(order)) % n_folds
    return [rows[fold[group] == k] for k in range(n_folds) if (fold == k).any()]


def sample(rows, n):
    """Return at most n of the rows, drawn with a fixed seed, in their order."""
    if len(rows) <= n:
        return rows
    return rows[np.sort(np.random.RandomState(0).permutation(len(rows))[:n])]


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
