"""Dense neural-network classification in NumPy, for scikit-learn."""

from sknumpynet.checkpoint import Checkpoint
from sknumpynet.classifier import NumpyMLPClassifier
from sknumpynet.display import TrainingCurveDisplay, WeightsDisplay
from sknumpynet.preprocessing import NumericalEncoder
from sknumpynet.versioning import __version__

__all__ = [
    "Checkpoint",
    "NumericalEncoder",
    "NumpyMLPClassifier",
    "TrainingCurveDisplay",
    "WeightsDisplay",
    "__version__",
]
