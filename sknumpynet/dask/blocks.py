"""Blocks of rows of Dask collections, and what is computed on one of them."""

from copy import copy
from reprlib import repr as short

import dask
import dask.array as da
import numpy as np
from dask.utils import is_dataframe_like, is_series_like
from scipy import sparse
from sklearn import config_context

from sknumpynet.data.read import read_training_data, read_validation_data


def blocks_of(client, **collections):
    """Return the blocks that have rows, and the numbers of these; see `all_blocks_of`."""
    blocks, counts = all_blocks_of(client, **collections)
    return [block for block, n in zip(blocks, counts, strict=True) if n], [n for n in counts if n]


def all_blocks_of(client, *, optional=("sample_weight", "sample_weight_val"), **collections):
    """Persist the collections, and find their blocks.

    Returns
    -------
    blocks : list of tuple
        For each block the futures of its parts, in the order of the collections.
    counts : list of int
        The number of rows of each.

    Raises
    ------
    TypeError
        If one is not a Dask array or data frame; the optional ones may be None.
    ValueError
        If their blocks do not have the same numbers of rows.
    """
    columns = {}
    for name, collection in collections.items():
        if collection is None and name in optional:
            continue
        check_collection(name, collection)
        delayed = np.ravel(in_rows(collection).to_delayed()).tolist()
        columns[name] = client.compute(delayed)
    rows = {name: client.gather(client.map(n_rows, column)) for name, column in columns.items()}
    if len({tuple(counts) for counts in rows.values()}) > 1:
        found = {
            name: f"{len(counts)} blocks of {short(counts)} rows" for name, counts in rows.items()
        }
        raise ValueError(f"The blocks do not match: {found}. Rechunk or repartition them alike.")
    counts = next(iter(rows.values()))
    if sum(counts) == 0:
        raise ValueError(f"{' and '.join(columns)} have no rows.")
    whole = zip(*(columns.get(name, [None] * len(counts)) for name in collections), strict=True)
    return list(whole), counts


def check_collection(name, collection):
    """Raise a TypeError unless it is a Dask array, data frame or series."""
    is_table = (
        isinstance(collection, da.Array)
        or is_dataframe_like(collection)
        or is_series_like(collection)
    )
    if not (is_table and dask.is_dask_collection(collection)):
        raise TypeError(
            f"{name} of type {type(collection).__name__} is not accepted: it must be a Dask array "
            "or data frame. For data in memory use the estimators without Dask in their names, "
            "such as NumpyMLPClassifier."
        )


def n_rows(block):
    return block.shape[0]


def in_rows(collection):
    """Return a Dask array whose blocks are whole rows; anything else is returned as it is."""
    is_wide = isinstance(collection, da.Array) and collection.ndim == 2
    return collection.rechunk({1: -1}) if is_wide else collection


def with_weight(client, blocks):
    """Return the blocks with a weight that is not 0; all if there are none, which is an error."""
    found = client.gather([client.submit(any_weight, block[2]) for block in blocks])
    return [block for block, weighted in zip(blocks, found, strict=True) if weighted] or blocks


def any_weight(sample_weight):
    """Tell whether a weight is not 0, or is no number, which is refused where it is read."""
    if sample_weight is None:
        return True
    try:
        return bool(np.asarray(sample_weight, np.float64).any())
    except (TypeError, ValueError):
        return True


def read_blocks(client, reader, blocks):
    """Read each block as an estimator, the reader, does.

    Returns
    -------
    task : dict
        The fitted attributes that the first block determines.
    targets : ClassTargets or NumberTargets
        Of y of all blocks.
    """
    found = client.gather([client.submit(read_block, reader, *block) for block in blocks])
    first_task, first = found[0]
    return first_task, type(first).union([targets for _, targets in found])


def read_block(reader, X, y, sample_weight):
    """Return the fitted attributes and the targets that a block determines."""
    weight = sample_weight if any_weight(sample_weight) else None
    task, data = read_training_data(reader, X, y, weight, is_new=True, complete=True)
    return task, data.targets


def check_validation(client, reader, task, targets, blocks):
    """Raise an error unless the reader accepts each block of the validation data."""
    futures = [client.submit(read_validation, reader, *b, task, targets) for b in blocks]
    client.gather(futures)


def read_validation(reader, X, y, sample_weight, task, targets):
    """Read a block of the validation data, which checks it."""
    read_validation_data(reader, X, y, sample_weight, task, targets)


def draw(counts, n):
    """Return the positions of n rows of all blocks, chosen at random, within each block."""
    rows = np.sort(np.random.default_rng(0).choice(sum(counts), n, replace=False))
    ends = np.cumsum(counts)
    parts = np.split(rows, np.searchsorted(rows, ends[:-1]))
    return [part - end + count for part, end, count in zip(parts, ends, counts, strict=True)]


def take(rows, *parts):
    """Return some rows of X and y."""
    return tuple(None if part is None else rows_of(part, rows) for part in parts)


def rows_of(part, rows):
    """Return some rows of an array, a sparse matrix or a data frame."""
    if sparse.issparse(part):
        part = part.tocsr()
    return part.iloc[rows] if hasattr(part, "iloc") else part[rows]


def stacked(parts):
    """Return parts of X or y as one."""
    if parts[0] is None:
        return None
    if hasattr(parts[0], "iloc"):
        import pandas as pd  # the blocks of a Dask data frame

        return pd.concat(parts)
    return sparse.vstack(parts) if sparse.issparse(parts[0]) else np.concatenate(parts)


def map_rows(local, method, X):
    """Call a method of an estimator on each block of X, lazily; or now, if X is no collection."""
    if not dask.is_dask_collection(X):
        return getattr(local, method)(X)
    check_collection("X", X)
    if X.ndim != 2:
        raise ValueError(f"X has {X.ndim} dimensions: it must be of shape (n_samples, n_features).")
    nameless = copy(local)
    vars(nameless).pop("feature_names_in_", None)
    row = np.zeros((1, local.n_features_in_))
    empty = call(sparse.csr_array(row) if sparse.issparse(X._meta) else row, method, nameless)[:0]
    arguments = method, dask.delayed(local), empty
    if not isinstance(X, da.Array):
        return X.map_partitions(call, *arguments, meta=empty)
    chunks = X.chunks[0], *((n,) for n in empty.shape[1:])
    drop_axis = [1] if empty.ndim == 1 else []
    return in_rows(X).map_blocks(call, *arguments, chunks=chunks, drop_axis=drop_axis, meta=empty)


@config_context(transform_output="default")
def call(block, method, local, empty=None):
    return getattr(local, method)(block) if n_rows(block) else empty
