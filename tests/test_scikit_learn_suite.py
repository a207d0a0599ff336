"""scikit-learn's own tests of its MLPs, run on ours with ``preset='sklearn'``.

They are those of the installed scikit-learn. A test that cannot pass has to fail with the expected
error, for a private attribute of scikit-learn's MLP or a difference in docs/differences.md.
"""

import importlib.util
from functools import partialmethod
from unittest import mock

import pytest
import sklearn.neural_network

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor

CANNOT_PASS = {
    "test_fit": (AttributeError, "sets coefs_ and private attributes of an unfitted MLP"),
    "test_gradient": (AttributeError, "calls _loss_grad_lbfgs"),
    "test_learning_rate_warmstart": (AttributeError, "reads _optimizer"),
    "test_adaptive_learning_rate": (AttributeError, "reads _optimizer"),
    "test_n_iter_no_change": (AttributeError, "reads _no_improvement_count"),
    "test_n_iter_no_change_inf": (AttributeError, "reads _no_improvement_count"),
    "test_early_stopping_stratified": (
        AssertionError,
        "expects an error because one class has a single row; our split is not stratified then",
    ),
    "test_nonfinite_params": (
        AssertionError,
        "expects scikit-learn's words; ours say that the loss is not finite, and what to lower",
    ),
    "test_mlp_diverging_loss": (
        ValueError,
        "expects an infinite loss in silence; ours raises an error if no score is finite",
    ),
    "test_predict_proba_multilabel": (
        AssertionError,
        "expects log-probabilities to tie where probabilities round to the same number",
    ),
}


class MLPClassifier(NumpyMLPClassifier):
    __init__ = partialmethod(NumpyMLPClassifier.__init__, preset="sklearn")


class MLPRegressor(NumpyMLPRegressor):
    __init__ = partialmethod(NumpyMLPRegressor.__init__, preset="sklearn")


def load_suite():
    """Return scikit-learn's test module, with our classes under the names of theirs."""
    found = importlib.util.find_spec("sklearn.neural_network.tests.test_mlp")
    spec = importlib.util.spec_from_file_location("borrowed_test_mlp", found.origin)
    module = importlib.util.module_from_spec(spec)
    with (
        mock.patch.object(sklearn.neural_network, "MLPClassifier", MLPClassifier),
        mock.patch.object(sklearn.neural_network, "MLPRegressor", MLPRegressor),
    ):
        spec.loader.exec_module(module)
    return module


def adapt(test):
    """Return the test, marked if it cannot pass."""
    if test.__name__ in CANNOT_PASS:
        error, reason = CANNOT_PASS[test.__name__]
        return pytest.mark.xfail(reason=reason, raises=error, strict=True)(test)
    return test


@pytest.fixture
def global_random_seed():
    """Stands in for a fixture of scikit-learn's."""
    return 42


pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
globals().update(
    {name: adapt(test) for name, test in vars(load_suite()).items() if name.startswith("test_")}
)
