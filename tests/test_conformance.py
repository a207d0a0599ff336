"""scikit-learn's own checks: every one passes, with none expected to fail."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from sknumpynet import NumpyMLPClassifier

CONFIGURATIONS = [
    NumpyMLPClassifier(),
    NumpyMLPClassifier(solver="sgd", learning_rate_init=0.1),
    NumpyMLPClassifier((16, 8), "tanh", learning_rate_init=0.01),
    NumpyMLPClassifier((), alpha=0.01, learning_rate_init=0.1),
    NumpyMLPClassifier(20, "logistic", learning_rate_init=0.1, shuffle=False),
    NumpyMLPClassifier(dtype="float64", class_weight="balanced"),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(CONFIGURATIONS)
def test_scikit_learn_check(estimator, check):
    check(estimator)
