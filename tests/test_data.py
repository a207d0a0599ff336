"""What is accepted as X, y and weights, and what it becomes."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import DataConversionWarning
from sklearn.multioutput import ClassifierChain

from sknumpynet import NumericalEncoder, NumpyMLPClassifier
from sknumpynet.data import Data, find_encoding

rng = np.random.RandomState(0)
X = rng.randn(120, 3).round(2)
y = (X[:, 0] > 0).astype(int)


def quick(**settings):
    return NumpyMLPClassifier(8, max_iter=3, random_state=0, **settings)


KINDS_OF_X = {
    "Decimal": lambda: [[Decimal(str(v)) for v in row] for row in X],
    "Fraction": lambda: np.array([[Fraction(str(v)) for v in row] for row in X], object),
    "numeric strings": lambda: X.astype(str),
    "polars Object": lambda: pl.DataFrame(
        {n: pl.Series(list(c), dtype=pl.Object) for n, c in zip("abc", X.T, strict=True)}
    ),
    "long double": lambda: X.astype(np.longdouble),
    "list": X.tolist,
}


@pytest.mark.parametrize("kind", KINDS_OF_X)
def test_numbers_of_any_type_are_converted(kind):
    expected = quick().fit(X, y)
    given = KINDS_OF_X[kind]()
    model = quick().fit(given, y)
    assert_array_equal(model.params_, expected.params_)
    assert_array_equal(model.predict_proba(given), expected.predict_proba(X))


@pytest.mark.parametrize("dtype", [np.float16, np.uint8, np.int64, bool])
def test_other_dtypes_are_the_numbers_they_hold(dtype):
    Z = (10 * np.abs(X)).astype(dtype)
    assert_allclose(quick().fit(Z, y).params_, quick().fit(Z.astype(float), y).params_, atol=1e-6)


@pytest.mark.parametrize("row", [[0.0, None, 0.0], [0.0, np.nan, 0.0], [0.0, "x", 0.0]])
def test_what_is_no_number_is_refused_in_training_and_predicting(row):
    model = quick().fit(X, y)
    for call in (model.predict_proba, model.predict, model.decision_function):
        with pytest.raises(ValueError, match=r"NaN|could not convert"):
            call([row])
    with pytest.raises(ValueError, match=r"X_val is not accepted.*(NaN|could not convert)"):
        quick().fit(X, y, X_val=[row, row], y_val=[0, 1])
    with pytest.raises(ValueError, match=r"NaN|could not convert"):
        quick().fit([row] * 120, y)


def test_numbers_beyond_float32_are_refused_with_the_remedy():
    model = quick().fit(X, y)
    with pytest.raises(ValueError, match=r"too large for float32: scale X.*dtype='float64'"):
        model.predict_proba([[1e39, 0, 0]])
    relu = quick(activation="relu").fit(X, y)
    with pytest.raises(ValueError, match=r"output is not finite\. Scale X"):
        relu.predict_proba([[3e38, 3e38, -3e38]])
    # Large numbers that saturate the network are accepted without a warning.
    assert np.isfinite(model.predict_proba([[1e20, 0, 0], [-1e20, 1e25, 0]])).all()


@pytest.mark.parametrize("values", [(-1, 1), (1, 2), (0, 255), (0.0, 5.0)])
def test_a_multilabel_indicator_has_0_and_1_only(values):
    Y = np.array(values)[rng.randint(2, size=(120, 3))]
    message = rf"y of shape \(120, 3\) with values .*{values[1]:g}.*multilabel indicator of 0 and 1"
    with pytest.raises(ValueError, match=message):
        quick().fit(X, Y)
    good = (Y.max() == Y).astype(int)
    with pytest.raises(ValueError, match=r"y_val of shape .* multilabel indicator of 0 and 1"):
        quick().fit(X, good, X_val=X, y_val=Y)
    assert quick().fit(X, good.astype(float)).predict(X).shape == Y.shape


def test_a_column_is_a_vector_of_labels_and_two_columns_are_two_labels():
    expected = quick().fit(X, y)
    with pytest.warns(DataConversionWarning, match="column-vector"):
        model = quick().fit(X, y[:, None])
    assert_array_equal(model.params_, expected.params_)
    Y = np.column_stack([y, 1 - y])
    assert quick().fit(X, Y).predict(X).shape == (120, 2)


@pytest.mark.parametrize("dtype", ["Int64", "boolean"])
def test_a_missing_label_of_a_nullable_series_is_named(dtype):
    labels = pd.Series(y, dtype=dtype)
    labels[3] = pd.NA
    with pytest.raises(ValueError, match="y contains NaN"):
        quick().fit(X, labels)


@pytest.mark.parametrize("label", ["only", 7, True])
def test_one_class_is_fitted_and_always_predicted(label):
    model = quick().fit(X, [label] * 120)
    assert_array_equal(model.predict(X), [label] * 120)
    assert_allclose(model.predict_proba(X), np.ones((120, 1)))
    assert model.decision_function(X).shape == (120,)
    model = quick().partial_fit(X, [label] * 120, classes=[label])
    assert_array_equal(model.predict(X), [label] * 120)


def test_a_chain_of_classifiers_may_have_a_constant_label():
    Y = np.column_stack([y, np.zeros_like(y)])
    assert_array_equal(ClassifierChain(quick()).fit(X, Y).predict(X)[:, 1], 0)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_continuous_labels_are_refused(method):
    model = quick().partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        getattr(model, method)(X, y + 0.5)


@pytest.mark.parametrize("weight", [-0.01, np.nan, np.inf])
def test_a_sample_weight_is_finite_and_at_least_0(weight):
    with pytest.raises(ValueError, match=r"every weight must be >= 0|sample_weight contains"):
        quick().fit(X, y, np.r_[weight, np.ones(119)])


@pytest.mark.parametrize("scale", [1e-50, 1e39, 1e300])
@pytest.mark.parametrize("settings", [{}, {"early_stopping": True}])
def test_only_the_ratios_of_sample_weights_matter_without_a_penalty(scale, settings):
    weight = rng.rand(120) + 0.5
    expected = quick(alpha=0, **settings).fit(X, y, weight)
    model = quick(alpha=0, **settings).fit(X, y, scale * weight)
    assert_allclose(model.params_, expected.params_, rtol=1e-3, atol=1e-5)
    assert_allclose(model.loss_, expected.loss_, rtol=1e-4)


def test_a_penalty_too_strong_for_the_weights_is_named():
    with pytest.raises(ValueError, match=r"alpha=0\.0001.*mean 1e-50.*[Ss]cale sample_weight"):
        quick(alpha=1e-4).fit(X, y, np.full(120, 1e-50))


@pytest.mark.parametrize("settings", [{}, {"early_stopping": True}])
def test_classes_of_weight_zero_are_not_trained_on_or_held_out(settings):
    target = np.arange(120) % 3
    model = quick(class_weight={2: 0}, **settings).set_params(max_iter=40).fit(X, target)
    assert 2 not in model.predict(X)
    assert np.isfinite(model.history_["loss"]).all()


def test_a_view_of_rows_is_like_a_copy_of_the_rows():
    rows = np.array([7, 3, 3, 90])
    view = Data(X, y, y, None).take(rows).X
    assert view.shape == X[rows].shape
    assert_array_equal(view[1:3], X[rows][1:3])
    assert_array_equal(view.astype("float32", copy=False), X[rows].astype("float32"))


def test_total_variance_is_the_sum_of_the_weighted_variances():
    Z, count = X * [1, 10, 0] + 100, rng.randint(3, size=120)
    repeated = Data(Z.repeat(count, axis=0), None, None, None).total_variance
    weighted = Data(Z, None, None, count[:, None].astype(float)).total_variance
    assert_allclose([repeated, weighted], np.cov(Z.T, fweights=count, ddof=0).trace())
    assert Data(sparse.csr_array(Z), None, None, None).total_variance == np.inf
    assert_allclose(Data(rng.randn(20_000, 60), None, None, None).total_variance, 60, rtol=0.02)


def test_a_constant_feature_has_no_variance_whatever_the_weights():
    for seed in range(50):
        weight = np.random.RandomState(seed).rand(40, 1)
        data = Data(np.full((40, 2), 0.1 + seed), None, None, weight)
        assert 0 <= data.total_variance < 1e-20


def test_the_total_variance_of_huge_values_with_huge_weights_does_not_overflow():
    values = np.array([[1e30], [-1e30]])
    data = Data(values, None, None, np.full((2, 1), 1e300))
    assert data.total_variance == pytest.approx(1e60)


@pytest.mark.parametrize("weight", [1e-308, 1e305])
def test_equal_weights_of_any_size_are_like_no_weights(weight):
    model = NumpyMLPClassifier(8, max_iter=20, random_state=0)
    expected = model.fit(X, y).params_
    assert_allclose(model.fit(X, y, np.full(len(y), weight)).params_, expected, rtol=1e-5)


def test_weights_that_add_up_to_infinity_are_refused():
    with pytest.raises(ValueError, match="sample_weight is too large: its sum is inf"):
        quick().fit(X, y, np.full(len(y), 1e307))


@pytest.mark.parametrize(
    ("class_weight", "weight", "total"),
    [({0: 0, 1: 0}, 1.0, "0.0"), ({1: 1e300}, 1e300, "inf")],
)
def test_weights_that_vanish_or_overflow_together_are_refused(class_weight, weight, total):
    model = quick(class_weight=class_weight)
    with pytest.raises(ValueError, match=f"class_weight times sample_weight is {total}"):
        model.fit(X, y, np.full(len(y), weight))
    assert not hasattr(model, "params_")


def test_infinities_of_both_signs_are_named_without_a_warning():
    with pytest.raises(ValueError, match="infinity"):
        quick().fit(np.array([[np.inf], [-np.inf]], np.float16), [0, 1])


def test_large_unscaled_features_give_a_warning_with_the_remedy():
    with pytest.warns(UserWarning, match="StandardScaler") as caught:
        quick().fit(X * 1e6, y)
    assert len(caught) == 1
    quick().fit(X * 100, y)
    quick(preset="sklearn", tol=1e9, n_iter_no_change=1).fit(X * 1e6, y)


def test_class_weights_have_to_leave_a_row_with_a_weight():
    with pytest.raises(ValueError, match=r"class_weight .*sample_weight .*0"):
        quick(class_weight={1: 0}).fit(X, y, sample_weight=y)


@pytest.mark.parametrize("n_labels", [2, 4])
def test_the_classes_of_a_multilabel_target_are_its_columns(n_labels):
    Y = rng.randint(2, size=(120, 3))
    with pytest.raises(ValueError, match=rf"classes has {n_labels} labels, but y has 3 columns"):
        quick().partial_fit(X, Y, classes=range(n_labels))


def test_balanced_class_weights_give_classes_the_same_sum():
    encoding = find_encoding(np.array(["a", "b", "c"]))
    codes, weight = encoding.encode(np.array(list("aabccc"))), np.arange(1.0, 7)[:, None]
    sums = encoding.class_sums(codes, weight)
    assert_allclose(sums, [[3, 3, 15]])
    per_class = encoding.class_weights("balanced", sums)
    assert_allclose(per_class * sums, [[7, 7, 7]])
    # A class that does not occur is left out, and changes nothing for the others.
    sums = encoding.class_sums(codes[:3], weight[:3])
    per_class = encoding.class_weights("balanced", sums)
    assert_allclose(per_class * sums, [[3, 3, 0]])
    assert np.isfinite(per_class).all()
    assert_allclose(encoding.class_weights("balanced", 0.1 * sums), per_class)


def test_the_classes_of_each_label_are_0_and_1():
    encoding, sums = find_encoding(np.eye(3, dtype=int)), np.ones((3, 2))
    assert_array_equal(encoding.class_weights({0: 2.0}, sums), [[2, 1]] * 3)
    assert_array_equal(encoding.class_weights({0: 2.0, 1: 5.0}, sums), [[2, 5]] * 3)


def test_balanced_class_weights_leave_a_constant_label_as_it_is():
    Y = np.array([[0, 1, 1], [0, 0, 1], [0, 1, 1]])
    encoding = find_encoding(Y)
    sums = encoding.class_sums(encoding.encode(Y), None)
    assert_allclose(sums, [[3, 0], [1, 2], [0, 3]])
    balanced = encoding.class_weights("balanced", sums) * sums
    assert_allclose(balanced, [[3, 0], [1.5, 1.5], [0, 3]])


@pytest.mark.parametrize("make", [NumpyMLPClassifier, NumericalEncoder])
def test_a_dask_collection_is_refused_and_not_gathered(make):
    class Collection:
        shape, ndim = (10, 2), 2

        def __dask_graph__(self):
            return {}

        def __array__(self, *args, **kwargs):
            raise AssertionError("gathered")

    with pytest.raises(TypeError, match=r"A Dask Collection is not accepted .*sknumpynet\.dask"):
        make().fit(Collection(), np.arange(10) % 2)
