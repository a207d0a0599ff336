"""What makes training quick and small, apart from the clock: what is allocated and copied."""

import tracemalloc

import numpy as np
import pytest

from sknumpynet import NumpyMLPClassifier
from sknumpynet.activations import ACTIVATIONS
from sknumpynet.aligned import aligned_copy, aligned_empty
from sknumpynet.batches import Minibatches
from sknumpynet.hashing import row_keys
from sknumpynet.losses import LOSSES
from sknumpynet.network import Backprop, initialize
from sknumpynet.optimizers import OPTIMIZERS
from sknumpynet.training import stepper


def peak(call):
    """Return the most bytes that a call has allocated at one time."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("solver", OPTIMIZERS)
@pytest.mark.parametrize("dropout", [(), (0.5,)])
def test_a_step_allocates_nothing_of_the_size_of_the_parameters_or_the_batch(solver, dropout):
    n, sizes, rng = 100, [2000, 40, 3], np.random.RandomState(0)
    X, y = rng.rand(1000, sizes[0]).astype(np.float32), rng.randint(3, size=1000)
    params = initialize(sizes, 6.0, rng, "float32")
    loss = LOSSES["softmax"]()
    backprop = Backprop(params, sizes, ACTIVATIONS["relu"], loss, 1e-4, n, dropout, rng)
    optimizer = OPTIMIZERS[solver]()
    state = optimizer.start(params)
    step = stepper(optimizer, state, backprop, weight_decay=0.1, first_layer_factor=2.0)
    minibatches = Minibatches(X, y, None, n, "float32", keys=row_keys(X))

    def train():
        for batch in minibatches.one_pass(rng):
            backprop(*batch)
            step(0.01)

    train()
    smaller = min(params.nbytes, X[:n].nbytes)
    assert peak(train) < smaller / 4


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(), (7,), (200_003,), (128, 256)])
def test_aligned_arrays_start_at_a_cache_line_and_are_like_any_other(shape, dtype):
    x = np.random.RandomState(0).standard_normal(shape)
    copied = aligned_copy(x, dtype)
    for array in (aligned_empty(shape, dtype), copied, aligned_copy(x)):
        assert array.ctypes.data % 64 == 0
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert array.shape == shape
    assert copied.dtype == dtype
    np.testing.assert_array_equal(copied, x.astype(dtype))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
@pytest.mark.parametrize("settings", [{"max_iter": 2}, {"max_iter": 2, "early_stopping": True}])
def test_fit_copies_neither_an_array_nor_a_memory_map(tmp_path, dtype, settings):
    path, shape = tmp_path / "X.npy", (20_000, 200)
    X = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    X[:] = np.random.RandomState(0).randint(2, size=shape)
    y = np.arange(len(X)) % 3
    X.flush()
    X = np.load(path, mmap_mode="r")
    model = NumpyMLPClassifier(16, random_state=0, **settings)
    least = X.nbytes if dtype == np.uint8 else X.nbytes / 2
    assert peak(lambda: model.fit(X, y)) < least


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_early_stopping_does_not_copy_the_rows_held_out(dtype):
    X = np.random.RandomState(0).randint(2, size=(40_000, 400)).astype(dtype)
    y = np.arange(len(X)) % 3
    model = NumpyMLPClassifier(16, max_iter=2, early_stopping=True, validation_fraction=0.5)
    others = peak(lambda: NumpyMLPClassifier(16, max_iter=2).fit(X, y))
    assert peak(lambda: model.fit(X, y)) < others + X.nbytes / 2
