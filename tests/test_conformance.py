"""scikit-learn's checks of estimators."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from sknumpynet import NumericalEncoder, NumpyMLPClassifier, NumpyMLPRegressor, TabularEncoder

# Of these, all checks take a minute.
FAST = [
    NumpyMLPClassifier(32, effort=0.3),
    NumpyMLPClassifier(preset="sklearn"),
    NumpyMLPRegressor(hidden_layer_sizes=32, effort=0.1),
    NumpyMLPRegressor(preset="sklearn"),
    NumericalEncoder(),
    TabularEncoder(),
    TabularEncoder(categorical_features=[0]),
]
CONFIGURATIONS = [
    NumpyMLPClassifier(),
    NumpyMLPClassifier(32, effort=0.3, class_weight="balanced"),
    NumpyMLPClassifier(32, solver="sgd", learning_rate_init=0.05),
    NumpyMLPClassifier(32, "logistic", shuffle=False, effort=0.5),
    NumpyMLPClassifier((20, 20), "silu", learning_rate="linear", dtype="float64", effort=0.5),
    NumpyMLPClassifier((), learning_rate_init=0.1),
    NumpyMLPClassifier(32, max_time=600, effort=0.3),
    NumpyMLPClassifier(solver="lbfgs"),
    # With the other solvers, early_stopping makes partial_fit raise, which several checks call.
    NumpyMLPClassifier(solver="lbfgs", early_stopping=True),
    NumpyMLPClassifier(preset="sklearn", solver="lbfgs"),
    NumpyMLPClassifier(preset="sklearn", solver="sgd", learning_rate_init=0.1),
    NumpyMLPClassifier((16, 8), "tanh", preset="sklearn", learning_rate_init=0.01),
    NumpyMLPClassifier(
        30,
        "selu",
        preset="sklearn",
        learning_rate="adaptive",
        learning_rate_init=0.01,
        weight_decay=0.01,
        label_smoothing=0.1,
    ),
    NumpyMLPClassifier(50, preset="sklearn", dropout=0.1, learning_rate_init=0.01),
    NumpyMLPRegressor(),
    NumpyMLPRegressor("huber", 32, effort=0.3),
    NumpyMLPRegressor("absolute_error", 32, "silu", dtype="float64", effort=0.3),
    NumpyMLPRegressor("quantile", 32, learning_rate="linear", effort=0.3),
    NumpyMLPRegressor(hidden_layer_sizes=32, solver="sgd", learning_rate_init=8e-4, effort=0.5),
    NumpyMLPRegressor(hidden_layer_sizes=(), learning_rate_init=0.1, effort=0.3),
    NumpyMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", tol=1e-9),
    NumpyMLPRegressor(solver="lbfgs", alpha=0.0),
    NumpyMLPRegressor(preset="sklearn", solver="lbfgs"),
    NumpyMLPRegressor(preset="sklearn", solver="sgd"),
    NumpyMLPRegressor(hidden_layer_sizes=(16, 8), activation="tanh", preset="sklearn"),
    NumericalEncoder(n_bins=8),
]
DROPOUT = {
    f"check_sample_weight_equivalence_on_{kind}_data": (
        "Dropout masks are drawn for each row: a row of weight 2 has one, two rows have two."
    )
    for kind in ("dense", "sparse")
}


def expected_failures(estimator):
    return DROPOUT if getattr(estimator, "dropout", "auto") != "auto" else {}


# Some checks fit a few rows of noise, on which a learning rate of 0.1 diverges.
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:The training loss, .* is above:UserWarning"),
    pytest.mark.filterwarnings("ignore:X is not scaled"),  # several checks add 100 to X
]


@parametrize_with_checks(FAST, expected_failed_checks=expected_failures)
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(CONFIGURATIONS, expected_failed_checks=expected_failures)
def test_scikit_learn_check_of_more_configurations(estimator, check):
    check(estimator)
