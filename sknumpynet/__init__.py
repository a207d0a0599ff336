"""Dense neural-network classification in NumPy, for scikit-learn."""

__version__ = "0.2.0"

from sknumpynet.classifier import NumpyMLPClassifier
from sknumpynet.preprocessing import SkewAwareScaler

__all__ = ["NumpyMLPClassifier", "SkewAwareScaler", "__version__"]
