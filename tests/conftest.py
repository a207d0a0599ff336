import os

# Before SciPy is imported: without it scikit-learn skips its checks of other arrays.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

import pytest
from sklearn.datasets import load_digits


@pytest.fixture(scope="session")
def digits():
    """X in [0, 1] of shape (1797, 64), float64, and the digits."""
    X, y = load_digits(return_X_y=True)
    return X / 16, y
