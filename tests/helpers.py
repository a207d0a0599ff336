"""What several test files use."""

import numpy as np

from sknumpynet.data.classes import ClassTargets
from sknumpynet.data.rows import Data


def labelled(X, y, weight=None):
    """Return the data of rows of X, their labels and, if given, one weight for each."""
    y = np.asarray(y)
    targets = ClassTargets.of(y)
    weight = None if weight is None else np.reshape(weight, (-1, 1)).astype(float)
    return Data(X, y, targets.encode(y), weight, targets)


class Clock:
    """Shows the seconds ``now``; it only moves when it is told to."""

    now = 0.0

    def __call__(self):
        return self.now
