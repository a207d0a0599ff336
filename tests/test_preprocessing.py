"""The scaler: what it is made of, where it makes a difference, and where it must not."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import skew
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PowerTransformer, StandardScaler

from sknumpynet import NumpyMLPClassifier, SkewAwareScaler


def table(n=600):
    """Return an even, a normal, a lognormal and a constant feature."""
    rng = np.random.RandomState(0)
    even, normal, long = rng.rand(n), 5 * rng.randn(n) - 3, rng.lognormal(0, 1.5, n)
    return np.column_stack([even, normal, long, np.full(n, 7.0)])


def test_skewed_are_those_that_scipy_says_are():
    X = table()[:, :3]
    skewness = np.abs(skew(X, axis=0))
    for threshold in (0.0, *(skewness * 1.001), *(skewness * 0.999)):
        scaler = SkewAwareScaler(threshold).fit(X)
        assert_array_equal(scaler.skewed_, skewness > threshold)


def test_skewed_features_are_power_transformed_and_the_others_standardised():
    X, new = table(), table()[::-1] * 1.5
    scaler = SkewAwareScaler().fit(X)
    assert_array_equal(scaler.skewed_, [False, False, True, False])
    kept = [0, 1, 3]
    standard, power = StandardScaler().fit(X[:, kept]), PowerTransformer().fit(X[:, [2]])
    for given in (X, new):
        assert_allclose(scaler.transform(given)[:, kept], standard.transform(given[:, kept]))
        assert_allclose(scaler.transform(given)[:, [2]], power.transform(given[:, [2]]))
    assert abs(skew(scaler.transform(X)[:, 2])) < 0.5


def test_without_skewed_features_it_is_standardisation():
    X = table()[:, [0, 1, 3]].astype(np.float32)
    scaler = SkewAwareScaler().fit(X)
    assert scaler.power_ is None
    assert_array_equal(scaler.transform(X), StandardScaler().fit_transform(X))
    assert scaler.transform(X).dtype == np.float32


def test_the_network_learns_what_a_long_tail_hides():
    rng = np.random.RandomState(0)
    X = np.exp(3 * rng.randn(1500, 2))
    y = (np.log(X[:, 0]) > np.log(X[:, 1])).astype(int)
    scores = [
        make_pipeline(scaler, NumpyMLPClassifier(32, random_state=0))
        .fit(X[:1000], y[:1000])
        .score(X[1000:], y[1000:])
        for scaler in (StandardScaler(), SkewAwareScaler())
    ]
    assert scores[1] > 0.97
    assert scores[1] > scores[0] + 0.1


@pytest.mark.parametrize("threshold", [-1, np.nan, "much"])
def test_a_bad_threshold_is_named(threshold):
    with pytest.raises(ValueError, match=f"threshold={threshold!r} is not accepted"):
        SkewAwareScaler(threshold).fit(table())
