"""What y is: how it becomes what the loss sees, and back.

`ClassTargets` and `NumberTargets` answer the same questions, so that no other module needs to know
which it has:

====================================  ===========================================================
``read``, ``of``, ``of_fitted``       what is y, that of new data or of a fitted network?
``fits``, ``check_continues``         is it the y of the same task?
``encode``, ``decode``                y to what the loss sees, and predictions back
``attributes``, ``identity``          what do fitted attributes and checkpoints say of it?
``strata``                            the classes of the rows, for stratified splits
``count``, ``weigh``                  how much weight has each class, and each row?
``make_loss``, ``has_temperature``    the loss of the network, and whether it is calibrated
``score``, ``score_name``             how good are predictions, as a score?
``constant_losses``, ``chance``       how good is a prediction that does not look at X?
====================================  ===========================================================
"""

import warnings

from scipy.sparse import issparse

from sknumpynet.data.classes import ClassTargets
from sknumpynet.data.labels import read_labels
from sknumpynet.data.numbers import NumberTargets


def targets_of(attributes):
    """Return the targets that a dict of fitted attributes describes."""
    kind = ClassTargets if "classes_" in attributes else NumberTargets
    return kind.of_fitted(attributes)


def class_labels(y, rows):
    """Return the class labels of some rows, or None if y is anything else."""
    try:
        labels = read_labels(y)
        labels = labels.tocsr() if issparse(labels) else labels
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ClassTargets.read(labels[rows])
    except (TypeError, ValueError):
        return None
