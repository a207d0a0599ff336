"""scikit-learn's own tests of MLPClassifier, run on NumpyMLPClassifier in its place.

They come from the installed scikit-learn. What cannot hold for us is skipped, with the reason.
"""

import importlib.util
from unittest import mock

import pytest
import sklearn.neural_network

from sknumpynet import NumpyMLPClassifier

PRIVATE = "looks at private attributes of scikit-learn's MLP"
REGRESSOR = "is about MLPRegressor"
SKIP = {
    "test_fit": "sets private attributes of an unfitted MLP by hand; see test_gradient.py",
    "test_gradient": PRIVATE + "; see test_gradient.py",
    "test_learning_rate_warmstart": PRIVATE + "; see test_differences.py",
    "test_adaptive_learning_rate": PRIVATE + "; see test_differences.py",
    "test_n_iter_no_change": PRIVATE + ", and asserts a patience of n_iter_no_change + 1",
    "test_n_iter_no_change_inf": PRIVATE + "; see test_differences.py",
    "test_early_stopping_stratified": "asserts that one rare class makes early stopping impossible",
    "test_preserve_feature_names": "fits a single class, which we refuse; see test_differences.py",
    "test_mlp_param_dtypes": "asserts that parameters have the dtype of X; ours have `dtype`",
    "test_predict_proba_multilabel": "takes probabilities that round to 1 for a tie in the logs",
    "test_mlp_vs_poisson_glm_equivalent": REGRESSOR,
    "test_lbfgs_regression": REGRESSOR,
    "test_lbfgs_regression_maxfun": REGRESSOR,
    "test_multioutput_regression": REGRESSOR,
    "test_partial_fit_regression": REGRESSOR,
    "test_nonfinite_params": REGRESSOR,
    "test_shuffle": REGRESSOR,
    "test_mlp_regressor_dtypes_casting": REGRESSOR,
    "test_mlp_loading_from_joblib_partial_fit": REGRESSOR,
    "test_mlp_diverging_loss": REGRESSOR,
    "test_mlp_sample_weight_with_early_stopping": REGRESSOR,
    "test_minimum_input_sample_size": REGRESSOR,
}


def load_suite():
    """Return scikit-learn's test module, with our class under the name of theirs."""
    found = importlib.util.find_spec("sklearn.neural_network.tests.test_mlp")
    spec = importlib.util.spec_from_file_location("borrowed_test_mlp", found.origin)
    module = importlib.util.module_from_spec(spec)
    with (
        mock.patch.object(sklearn.neural_network, "MLPClassifier", NumpyMLPClassifier),
        mock.patch.object(sklearn.neural_network, "MLPRegressor", None),
    ):
        spec.loader.exec_module(module)
    return module


def ours(test):
    """Return the test without its cases of MLPRegressor, skipped if it is on the list."""
    for mark in getattr(test, "pytestmark", []):
        if mark.name == "parametrize":
            mark.args[1][:] = [value for value in mark.args[1] if value is not None]
    if test.__name__ in SKIP:
        return pytest.mark.skip(reason=SKIP[test.__name__])(test)
    return test


pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
globals().update(
    {name: ours(test) for name, test in vars(load_suite()).items() if name.startswith("test_")}
)


def test_the_list_of_skips_is_short():
    assert sum(reason is not REGRESSOR for reason in SKIP.values()) <= 10
