"""Dense neural networks in NumPy, for scikit-learn."""

from sknumpynet.checkpoint import Checkpoint
from sknumpynet.classifier import NumpyMLPClassifier
from sknumpynet.display import TrainingCurveDisplay, WeightsDisplay
from sknumpynet.preprocessing import NumericalEncoder, TabularEncoder
from sknumpynet.regressor import NumpyMLPRegressor
from sknumpynet.versioning import __version__

__all__ = [
    "Checkpoint",
    "NumericalEncoder",
    "NumpyMLPClassifier",
    "NumpyMLPRegressor",
    "TabularEncoder",
    "TrainingCurveDisplay",
    "WeightsDisplay",
    "__version__",
]
