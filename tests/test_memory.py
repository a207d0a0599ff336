"""What a fit of the estimator allocates: no copy of X, whatever it is."""

import tracemalloc

import numpy as np
import pytest
from helpers import both

from sknumpynet import NumpyMLPClassifier

SETTINGS = {"preset": "sklearn", "max_iter": 2, "batch_size": 500, "dtype": "float32"}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def peak(model, X, y):
    """Return the most bytes that `fit` has allocated at one time."""
    tracemalloc.start()
    try:
        model.fit(X, y)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def make_model(Estimator=NumpyMLPClassifier, **settings):
    return Estimator(hidden_layer_sizes=16, **SETTINGS, random_state=0, **settings)


@both
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_fit_copies_neither_an_array_nor_a_memory_map(tmp_path, dtype, early_stopping, Estimator):
    path, shape = tmp_path / "X.npy", (20_000, 200)
    np.save(path, np.random.RandomState(0).randint(2, size=shape).astype(dtype))
    X, y = np.load(path, mmap_mode="r"), np.arange(shape[0]) % 3
    least = X.nbytes if dtype == np.uint8 else X.nbytes / 2
    assert peak(make_model(Estimator, early_stopping=early_stopping), X, y) < least


def test_fit_does_not_copy_an_unaligned_array():
    shape = 20_000, 200
    X = np.empty(4 * np.prod(shape) + 1, np.uint8)[1:].view(np.float32).reshape(shape)
    X[:] = np.random.RandomState(0).rand(*shape)
    assert not X.flags.aligned
    assert peak(make_model(), X, np.arange(shape[0]) % 3) < X.nbytes / 2


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_early_stopping_does_not_copy_the_rows_held_out(dtype):
    X = np.random.RandomState(0).randint(2, size=(40_000, 400)).astype(dtype)
    y = np.arange(len(X)) % 3
    without = peak(make_model(), X, y)
    held_out = make_model(early_stopping=True, validation_fraction=0.5)
    assert peak(held_out, X, y) < without + X.nbytes / 2
