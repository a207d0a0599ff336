"""Dense neural-network classification in NumPy, for scikit-learn."""

__version__ = "0.3.0"

from sknumpynet.checkpoint import Checkpoint
from sknumpynet.classifier import NumpyMLPClassifier
from sknumpynet.display import TrainingCurveDisplay, WeightsDisplay
from sknumpynet.preprocessing import NumericalEncoder

__all__ = [
    "Checkpoint",
    "NumericalEncoder",
    "NumpyMLPClassifier",
    "TrainingCurveDisplay",
    "WeightsDisplay",
    "__version__",
]
