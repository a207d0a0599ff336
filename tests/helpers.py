"""What several test files use."""

import numpy as np
import pytest

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor
from sknumpynet.data.classes import ClassTargets
from sknumpynet.data.numbers import NumberTargets
from sknumpynet.data.rows import Data

ESTIMATORS = [NumpyMLPClassifier, NumpyMLPRegressor]
both = pytest.mark.parametrize("Estimator", ESTIMATORS)


def target(Estimator, X):
    """Return what an estimator can learn of the first feature: its sign, or its value."""
    return X[:, 0].copy() if Estimator is NumpyMLPRegressor else (X[:, 0] > 0).astype(int)


def streamed(model, X, y):
    """Call `partial_fit` once."""
    if isinstance(model, NumpyMLPRegressor):
        return model.partial_fit(X, y)
    return model.partial_fit(X, y, classes=np.unique(y))


def predictions(model, X):
    """Return probabilities, or numbers."""
    return getattr(model, "predict_proba", model.predict)(X)


def labelled(X, y, weight=None):
    """Return the data of rows of X, their labels and, if given, one weight for each."""
    y = np.asarray(y)
    targets = ClassTargets.of(y)
    weight = None if weight is None else np.reshape(weight, (-1, 1)).astype(float)
    return Data(X, y, targets.encode(y), weight, targets)


def numbered(X, y, weight=None):
    """Return the data of rows of X, their numbers and, if given, one weight for each."""
    y = np.asarray(y, float)
    weight = None if weight is None else np.reshape(weight, (-1, 1)).astype(float)
    targets = NumberTargets.of(y, weight, "squared_error", {}, standardised=True)
    return Data(X, y, targets.encode(y), weight, targets)


class Clock:
    """Shows the seconds ``now``; it only moves when it is told to."""

    now = 0.0

    def __call__(self):
        return self.now
