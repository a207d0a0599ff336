"""scikit-learn's own checks: every one passes, with none expected to fail."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from sknumpynet import NumpyMLPClassifier, SkewAwareScaler

CONFIGURATIONS = [
    NumpyMLPClassifier(),
    NumpyMLPClassifier(max_iter=200),
    NumpyMLPClassifier(solver="sgd", learning_rate_init=0.1, max_iter=200),
    NumpyMLPClassifier(solver="lbfgs"),
    NumpyMLPClassifier((16, 8), "tanh", learning_rate_init=0.01, max_iter=200),
    NumpyMLPClassifier((), alpha=0.01, learning_rate_init=0.1, max_iter=200),
    NumpyMLPClassifier(20, "logistic", learning_rate_init=0.1, shuffle=False, max_iter=200),
    NumpyMLPClassifier(dtype="float64", class_weight="balanced", max_iter=200),
    NumpyMLPClassifier(
        50, learning_rate="one_cycle", learning_rate_init=0.01, label_smoothing=0.1, max_iter=100
    ),
    NumpyMLPClassifier(
        30,
        "gelu",
        learning_rate="adaptive",
        learning_rate_init=0.01,
        weight_decay=0.01,
        max_iter=200,
    ),
    NumpyMLPClassifier(30, "selu", learning_rate="linear", learning_rate_init=0.01, max_iter=100),
    NumpyMLPClassifier(
        solver="sgd",
        learning_rate="cosine",
        learning_rate_init=0.1,
        nesterovs_momentum=False,
        max_iter=100,
    ),
    NumpyMLPClassifier(50, dropout=0.1, learning_rate_init=0.01, max_iter=200),
    NumpyMLPClassifier((20, 20), "silu", dropout=(0.1, 0.2), max_iter=200),
    # Of the checks' few rows a tenth would be too few to hold out. With a first-order solver,
    # early_stopping makes partial_fit an error, which several checks call.
    NumpyMLPClassifier(solver="lbfgs", early_stopping=True, validation_fraction=0.4),
    SkewAwareScaler(),
    SkewAwareScaler(threshold=0.0),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(CONFIGURATIONS)
def test_scikit_learn_check(estimator, check):
    check(estimator)
