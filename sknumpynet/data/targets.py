"""What y is: how it becomes what the loss sees, and back.

`ClassTargets` and `NumberTargets` answer the same questions, so that no other module needs to know
which it has:

====================================  ===========================================================
``read``, ``of``, ``of_fitted``       what is y, that of new data or of a fitted network?
``fits``, ``check_continues``         is it the y of the same task?
``encode``, ``decode``                y to what the loss sees, and predictions back
``attributes``, ``identity``          what do fitted attributes and checkpoints say of it?
``union``, ``together``               what is y of several parts, or networks, together?
``announced``, ``example``            what is told to a network of a part, and to one that goes on
``strata``                            the classes of the rows, for stratified splits
``count``, ``weigh``                  how much weight has each class, and each row?
``make_loss``, ``calibration``        the loss of the network, and by what it is calibrated
``score``, ``score_name``             how good are predictions, as a score?
``constant_losses``, ``chance``       how good is a prediction that does not look at X?
====================================  ===========================================================
"""

import warnings

import numpy as np
from scipy.sparse import issparse

from sknumpynet.data.classes import ClassTargets
from sknumpynet.data.labels import read_labels
from sknumpynet.data.numbers import NumberTargets

# Where nobody says what y is, more distinct numbers than MOST_CLASSES are no class labels.
MOST_CLASSES = 30


def targets_of(attributes):
    """Return the targets that a dict of fitted attributes describes."""
    kind = ClassTargets if "classes_" in attributes else NumberTargets
    return kind.of_fitted(attributes)


def guess_targets(y, rows):
    """Return the class of targets that y seems to be of, and some rows of it as it reads them.

    Numbers are class labels if they are whole and there are at most `MOST_CLASSES` of them. If y
    is None, or nothing else that can be learnt, both are None.
    """
    y = y.tocsr() if issparse(y) else y
    for kind, read in ((ClassTargets, read_labels), (NumberTargets, np.asarray)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                some = kind.read(read(y)[rows])
        except (IndexError, TypeError, ValueError):
            continue
        is_number = some.ndim == 1 and some.dtype.kind in "iuf"
        if kind is NumberTargets or not is_number or len(np.unique(some)) <= MOST_CLASSES:
            return kind, some
    return None, None
