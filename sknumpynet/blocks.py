"""Blocks of rows of Dask collections, and what is computed on one of them."""

from copy import deepcopy

import dask
import dask.array as da
import numpy as np
from scipy import sparse
from sklearn.utils import _safe_indexing


def blocks_of(client, *, optional=("sample_weight", "sample_weight_val"), **collections):
    """Persist the collections, and return a tuple of futures for each block that has rows.

    Raises
    ------
    TypeError
        If one is not a Dask collection; the optional ones may be None.
    ValueError
        If their blocks do not have the same numbers of rows.
    """
    columns = {}
    for name, collection in collections.items():
        if collection is None and name in optional:
            continue
        if not dask.is_dask_collection(collection):
            raise TypeError(
                f"{name} of type {type(collection).__name__} is not accepted: it must be a Dask "
                "array or data frame. For data in memory use NumpyMLPClassifier and "
                "NumericalEncoder."
            )
        delayed = np.ravel(in_rows(collection).to_delayed()).tolist()
        columns[name] = client.compute(delayed)
    rows = {name: client.gather(client.map(n_rows, column)) for name, column in columns.items()}
    if len({tuple(counts) for counts in rows.values()}) > 1:
        found = {name: f"{len(counts)} blocks, {sum(counts)} rows" for name, counts in rows.items()}
        raise ValueError(f"The blocks do not match: {found}. Rechunk or repartition them alike.")
    counts = next(iter(rows.values()))
    if sum(counts) == 0:
        raise ValueError(f"{' and '.join(columns)} have no rows.")
    whole = zip(*(columns.get(name, [None] * len(counts)) for name in collections), strict=True)
    return [block for block, n in zip(whole, counts, strict=True) if n > 0]


def n_rows(block):
    return block.shape[0]


def in_rows(collection):
    """Return a Dask array whose blocks are whole rows; anything else is returned as it is."""
    is_wide = isinstance(collection, da.Array) and collection.ndim == 2
    return collection.rechunk({1: -1}) if is_wide else collection


def find_classes(client, blocks):
    """Return all labels of the blocks of y; for a multilabel y the numbers of its columns."""
    found = client.gather([client.submit(labels, y) for y in blocks])
    return np.unique(np.concatenate(found))


def labels(y):
    y = np.asarray(y)
    return np.arange(y.shape[1]) if y.ndim == 2 and y.shape[1] > 1 else np.unique(y)


def pass_over(client, model, blocks, classes):
    """Return the future of the network that has been trained on one block after the other.

    A task copies the network that it is given. If a worker is lost, the scheduler runs its tasks
    again from what they were given, so that no block is trained on twice or left out.
    """
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1PB"}):
        for block in blocks:
            model = client.submit(train_on, model, *block, classes, pure=False)
    return model


def train_on(model, X, y, sample_weight, classes):
    return deepcopy(model).partial_fit(X, y, sample_weight, classes=classes)


def rows_seen(model):
    return getattr(model, "t_", 0)


def averaged(before, after):
    """Return the networks after a pass, each with the mean of their parameters.

    The mean is weighted by the rows of the pass. Each network keeps the state of its optimizer.
    """
    if len(after) > 1:
        rows = [rows_seen(a) - rows_seen(b) for a, b in zip(after, before, strict=True)]
        mean = np.average([model.params_ for model in after], axis=0, weights=rows)
        for model in after:
            model.params_ = mean.astype(model.params_.dtype)
    return after


def total(start, models):
    """Return the fitted attributes of the first network, with the rows that all have seen."""
    first = {k: v for k, v in vars(models[0]).items() if k not in start.get_params(deep=False)}
    if len(models) == 1:
        return first
    old = getattr(start, "_resume", {"class_sums": 0})["class_sums"]
    sums = old + sum(model._resume["class_sums"] - old for model in models)
    seen = rows_seen(start) + sum(rows_seen(model) - rows_seen(start) for model in models)
    return {**first, "t_": seen, "_resume": {**first["_resume"], "class_sums": sums}}


def score_on(client, model, blocks):
    """Return the accuracy on the blocks."""
    counts = client.gather(
        [client.submit(count_right, model, *block, pure=False) for block in blocks]
    )
    right, of = np.sum(counts, axis=0)
    return float(right / of)


def count_right(model, X, y, sample_weight=None):
    """Return the weight of the rows that are predicted rightly, and of all."""
    right = (model.predict(X) == np.asarray(y)).reshape(n_rows(X), -1).all(axis=1)
    weight = np.ones(n_rows(X)) if sample_weight is None else np.asarray(sample_weight)
    return float(right @ weight), float(weight.sum())


def sample(X, y, fraction, seed):
    """Return some rows of a block, chosen at random, and their labels."""
    rows = np.flatnonzero(np.random.default_rng(seed).random(n_rows(X)) < fraction)
    return tuple(None if part is None else _safe_indexing(part, rows) for part in (X, y))


def stacked(parts):
    """Return parts of X or y as one."""
    if parts[0] is None:
        return None
    if hasattr(parts[0], "iloc"):
        import pandas as pd  # the blocks of a Dask data frame

        return pd.concat(parts)
    return sparse.vstack(parts) if sparse.issparse(parts[0]) else np.concatenate(parts)


def map_rows(local, method, X, like):
    """Call a method of an estimator on each block of X, lazily; or now, if X is no collection.

    ``like`` is an empty array of the kind of the result.
    """
    if not dask.is_dask_collection(X):
        return getattr(local, method)(X)
    arguments = method, dask.delayed(local), like
    if not isinstance(X, da.Array):
        return X.map_partitions(call, *arguments, meta=like)
    chunks = X.chunks[0], *((n,) for n in like.shape[1:])
    drop_axis = [1] if like.ndim == 1 else []
    return in_rows(X).map_blocks(call, *arguments, chunks=chunks, drop_axis=drop_axis, meta=like)


def call(block, method, local, empty):
    return getattr(local, method)(block) if n_rows(block) else empty
