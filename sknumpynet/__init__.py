"""Dense neural-network classification in NumPy, for scikit-learn."""

__version__ = "0.3.0"

from sknumpynet.classifier import NumpyMLPClassifier
from sknumpynet.preprocessing import NumericalEncoder

__all__ = ["NumericalEncoder", "NumpyMLPClassifier", "__version__"]
