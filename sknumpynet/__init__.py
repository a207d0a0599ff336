"""Dense neural-network classification in NumPy, for scikit-learn."""

from sknumpynet.classifier import NumpyMLPClassifier
from sknumpynet.preprocessing import SkewAwareScaler
from sknumpynet.version import __version__

__all__ = ["NumpyMLPClassifier", "SkewAwareScaler", "__version__"]
