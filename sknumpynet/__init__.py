"""Dense neural-network classification in NumPy, for scikit-learn."""

from sknumpynet.classifier import NumpyMLPClassifier

__all__ = ["NumpyMLPClassifier"]
__version__ = "0.1.0"
