import os

# Before SciPy is imported: without it scikit-learn skips its checks of other arrays.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

import pytest
from helpers import Clock
from hypothesis import HealthCheck, settings
from sklearn.datasets import load_digits

# The same 300 cases for each property, or with --hypothesis-profile=long many random ones.
OPTIONS = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
settings.register_profile("ci", max_examples=300, derandomize=True, **OPTIONS)
settings.register_profile("long", max_examples=12_500, **OPTIONS)
settings.load_profile("ci")


@pytest.fixture(scope="session")
def long_profile(request):
    """Tell whether the tests with random cases are to try many, by --hypothesis-profile=long."""
    return request.config.getoption("--hypothesis-profile") == "long"


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still, by which the package measures time."""
    standing = Clock()
    monkeypatch.setattr("sknumpynet.core.clock.now", standing)
    return standing


@pytest.fixture(scope="session")
def digits():
    """X in [0, 1] of shape (1797, 64), float64, and the digits."""
    X, y = load_digits(return_X_y=True)
    return X / 16, y
