"""Minibatches: the rows, their dtype and order, and the scale of the weights."""

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sknumpynet.core.batches import Minibatches

KINDS = {
    "float32": lambda X: X.astype(np.float32),
    "float64": lambda X: X,
    "float16": lambda X: X.astype(np.float16),
    "uint8": lambda X: X.astype(np.uint8),
    "bool": lambda X: X > 3,
    "big-endian": lambda X: X.astype(">f8"),
    "Fortran order": np.asfortranarray,
    "every other row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "CSR array": sparse.csr_array,
    "CSR matrix": sparse.csr_matrix,
}
N = 23


def make_minibatches(X, batch_size, weight=None, rows=None, dtype="float64"):
    """Return minibatches of X whose targets are the numbers of the rows."""
    data = SimpleNamespace(X=X, encoded=np.arange(X.shape[0]), weight=weight)
    return Minibatches(data, batch_size, dtype, rows)


@pytest.mark.parametrize("rows", [None, np.array([3, 1, 20, 7, 8, 22, 0])], ids=["all", "some"])
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_an_epoch_has_each_row_of_any_kind_of_x_once(kind, shuffle, rows):
    X = KINDS[kind](np.random.RandomState(0).randint(0, 9, size=(N, 4)).astype(float))
    if not sparse.issparse(X):
        X.flags.writeable = False
    expected = (X.toarray() if sparse.issparse(X) else np.array(X)).astype(np.float32)
    seen, minibatches = [], make_minibatches(X, 5, rows=rows, dtype="float32")
    permutation = np.random.RandomState(0).permutation(minibatches.n)
    for batch in minibatches.epoch(permutation if shuffle else None):
        dense = batch.X.toarray() if sparse.issparse(batch.X) else batch.X
        assert dense.dtype == np.float32
        assert batch.weight is None
        assert_array_equal(dense, expected[batch.y])
        seen.append(batch.y)
    order = list(range(N) if rows is None else rows)
    assert minibatches.n == len(order)
    assert [len(y) for y in seen] == [5] * (len(order) // 5) + [len(order) % 5]
    seen = list(np.concatenate(seen))
    assert sorted(seen) == sorted(order)
    assert (seen == order) is not shuffle


@pytest.mark.parametrize("kind", KINDS)
def test_an_epoch_never_copies_x_as_a_whole(kind):
    X = KINDS[kind](np.random.RandomState(0).randint(0, 9, size=(5000, 100)).astype(float))
    minibatches = make_minibatches(X, 20, dtype="float32")
    tracemalloc.start()
    try:
        for _ in minibatches.epoch(np.random.RandomState(0).permutation(5000)):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5000 * 100 / 2  # half of the smallest copy, of one byte for each number


@pytest.mark.parametrize("rows", [None, np.array([4, 2, 0])])
def test_rows_are_taken_in_the_given_order(rows):
    order = np.array([2, 0, 1])
    (batch,) = make_minibatches(np.eye(3 if rows is None else 5), 9, rows=rows).epoch(order)
    assert_array_equal(batch.y, order if rows is None else rows[order])


def test_weights_have_a_mean_of_1_over_the_training_rows_and_batches_without_weight_are_skipped():
    weight = np.array([[0.0], [0.0], [3.0], [1.0], [2.0], [100.0]])
    minibatches = make_minibatches(np.eye(6), 2, weight, rows=np.arange(5))
    batches = list(minibatches.epoch())
    assert [list(batch.y) for batch in batches] == [[2, 3], [4]]
    assert_allclose(np.concatenate([b.weight for b in batches]).ravel(), np.array([3, 1, 2]) / 1.2)
    assert_allclose(minibatches.mean_weight, 1.2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("factor", [1e-50, 1e-300, 1e300, 3e307])
def test_minibatches_do_not_depend_on_the_scale_of_the_weights(factor, dtype):
    weight = np.random.RandomState(0).rand(N, 2) + np.eye(N, 2)
    minibatches, scaled = (
        make_minibatches(np.eye(N), 5, w, dtype=dtype) for w in (weight, factor * weight)
    )
    assert_allclose(scaled.mean_weight, factor * minibatches.mean_weight)
    pairs = zip(minibatches.epoch(), scaled.epoch(), strict=True)
    for (X, y, w), (X_scaled, y_scaled, w_scaled) in pairs:
        assert_array_equal(X, X_scaled)
        assert_array_equal(y, y_scaled)
        assert w_scaled.dtype == dtype
        assert_allclose(w, w_scaled, rtol=1e-6)
