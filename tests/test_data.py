"""What is accepted as X, y and weights, and what it becomes."""

import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from helpers import labelled
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import DataConversionWarning
from sklearn.multioutput import ClassifierChain

from sknumpynet import NumericalEncoder, NumpyMLPClassifier
from sknumpynet.data.classes import ClassTargets
from sknumpynet.data.rows import Data

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


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
@pytest.mark.parametrize("make", [np.asarray, np.ndarray.tolist, pd.DataFrame, "Float64"])
def test_missing_values_of_x_are_called_so_and_the_encoder_is_named(missing, make):
    table = X.astype(object)
    table[3, 1] = missing
    table = pd.DataFrame(table).astype(make) if isinstance(make, str) else make(table)
    with pytest.raises(
        ValueError, match=r"X contains NaN.*row 3, column .*1.*NumericalEncoder\(\)"
    ):
        quick().fit(table, y)


def test_infinities_and_missing_values_are_found_in_any_block_and_in_sparse_data():
    Z = rng.randn(5000, 2).astype(np.float32)
    Z[4500, 1] = np.inf
    message = r"X contains infinity.*row 4500, column 1.*NumericalEncoder\(\)"
    for table in (Z, sparse.csr_array(Z), pd.DataFrame(Z)):
        with pytest.raises(ValueError, match=message):
            quick().fit(table, Z[:, 0] > 0)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_strings_of_x_are_named_with_their_column_and_the_remedy(make):
    table = make({"size": X[:, 0], "colour": ["red"] * 120})
    message = r"X has 'red'.* column 'colour'.*TabularEncoder\(\), in front of"
    with pytest.raises(ValueError, match=message):
        quick().fit(table, y)


DAYS = [datetime(2020, 1, 1) + timedelta(days=k) for k in range(120)]
DATES = {
    "pandas": pd.DataFrame({"when": DAYS}),
    "pandas with a time zone": pd.DataFrame({"when": pd.to_datetime(DAYS, utc=True)}),
    "pandas durations": pd.DataFrame({"when": np.array(DAYS) - DAYS[0]}),
    "pandas periods": pd.DataFrame({"when": pd.PeriodIndex(DAYS, freq="D")}),
    "pandas objects": pd.DataFrame({"when": [day.date() for day in DAYS]}, dtype=object),
    "Arrow in pandas": pd.DataFrame({"when": pd.Series(DAYS, dtype="timestamp[ns][pyarrow]")}),
    "Polars dates": pl.DataFrame({"when": [day.date() for day in DAYS]}),
    "Polars among numbers": pl.DataFrame({"a": X[:, 0], "when": DAYS}),
    "Polars durations": pl.DataFrame({"when": [day - DAYS[0] for day in DAYS]}),
    "Polars times": pl.DataFrame({"when": [time(1, 2)] * 120}),
    "Arrow": pa.table({"when": pa.array([date(2020, 1, 1)] * 120)}),
    "NumPy": np.array(DAYS, "datetime64[D]")[:, None],
    "NumPy durations": np.array(DAYS, "datetime64[D]")[:, None] - np.datetime64(DAYS[0], "D"),
    "NumPy objects": np.array([[np.datetime64(day, "D")] for day in DAYS], object),
    "list": [[np.datetime64(day, "D")] for day in DAYS],
}


@pytest.mark.filterwarnings("ignore:X has feature names")
@pytest.mark.parametrize("kind", DATES)
def test_dates_and_durations_as_x_are_refused_with_the_remedy(kind):
    where = "column 'when'.*" if hasattr(DATES[kind], "columns") else ""
    with pytest.raises((TypeError, ValueError), match=rf"{where}TabularEncoder\(\), in front"):
        quick().fit(DATES[kind], y)
    with pytest.raises(ValueError, match=rf"X_val is not accepted.*{where}TabularEncoder"):
        quick().fit(X[:, :1], y, X_val=DATES[kind], y_val=y)


def test_masked_values_of_x_and_of_weights_are_not_read_as_values():
    masked = np.ma.array(X, mask=np.abs(X) > 2)
    with pytest.raises(ValueError, match=r"masked values.*filled\(np\.nan\)"):
        quick().fit(masked, y)
    with pytest.raises(ValueError, match="sample_weight has values that are masked"):
        quick().fit(X, y, np.ma.array(np.ones(120), mask=y))
    whole = quick().fit(np.ma.array(X), np.ma.array(y), np.ma.array(np.ones(120)))
    assert_array_equal(whole.params_, quick().fit(X, y, np.ones(120)).params_)


def test_a_lazy_frame_is_refused_with_the_remedy():
    with pytest.raises(TypeError, match=r"LazyFrame .* collect\(\)"):
        quick().fit(pl.DataFrame(X).lazy(), y)


def test_numbers_beyond_float64_are_refused_without_a_warning():
    table = X.astype(object)
    table[3, 1] = 10**400
    with pytest.raises(ValueError, match=r"row 3, column 1: int too large"):
        quick().fit(table, y)
    if np.finfo(np.longdouble).max > np.finfo(float).max:
        with pytest.raises(ValueError, match="infinity"):
            quick().fit(X.astype(np.longdouble) * np.longdouble("1e4000"), y)


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


def objects(labels):
    """Return labels, which may be missing or of any type, as an array of objects."""
    array = np.empty(len(labels), object)
    array[:] = labels
    return array


WORDS = np.array(["no", "yes"])[y].tolist()
MISSING = [None, *WORDS[1:]]
MISSING_LABELS = {
    "list": MISSING,
    "list with NaN": [np.nan, *WORDS[1:]],
    "list of ints": [None, *y[1:].tolist()],
    "objects": objects(MISSING),
    "objects with pd.NA": objects([pd.NA, *WORDS[1:]]),
    "floats": np.r_[np.nan, y[1:]],
    "dates": np.r_[np.datetime64("NaT"), y[1:].astype("datetime64[D]")],
    "masked": np.ma.array(y, mask=np.arange(120) == 0),
    "column": pd.DataFrame({"label": MISSING}),
    "indicator": np.c_[np.r_[np.nan, y[1:]], y],
    "sparse indicator": sparse.csr_array(np.c_[np.r_[np.nan, y[1:]], y]),
    "nullable indicator": pd.DataFrame({"a": [pd.NA, *(y[1:] > 0)], "b": y > 0}, dtype="boolean"),
    "Series": pd.Series(MISSING),
    "string": pd.Series(MISSING, dtype="string"),
    "category": pd.Series(MISSING, dtype="category"),
    "Int64": pd.Series([pd.NA, *y[1:]], dtype="Int64"),
    "boolean": pd.Series([pd.NA, *(y[1:] > 0)], dtype="boolean"),
    "Arrow string": pd.Series(MISSING, dtype="string[pyarrow]"),
    "Arrow array": pa.array(MISSING),
    "Polars string": pl.Series(MISSING),
    "Polars category": pl.Series(MISSING, dtype=pl.Categorical),
    "Polars bool": pl.Series([None, *(y[1:] > 0)], dtype=pl.Boolean),
}


@pytest.mark.parametrize("kind", MISSING_LABELS)
def test_missing_labels_are_called_so_wherever_they_arrive(kind):
    labels = MISSING_LABELS[kind]
    is_indicator = "indicator" in kind
    known = np.c_[y, y] if is_indicator else y
    calls = {
        "y": lambda: quick().fit(X, labels),
        "y_val": lambda: quick().fit(X, known, X_val=X, y_val=labels),
        "classes": lambda: quick().partial_fit(X, y, classes=labels),
    }
    for name, call in calls.items():
        with pytest.raises(ValueError, match=rf"{name} has missing labels: 1 of .* position 0"):
            call()
    with pytest.raises(ValueError, match="y has missing labels"):
        quick().fit(X, known).score(X, labels)


@pytest.mark.parametrize(
    ("label", "problem"),
    [
        (np.nan, "has missing labels"),
        (None, "has missing labels"),
        (pd.NA, "has missing labels"),
        (np.inf, "has inf at position 0"),
        (0.5, "has 0.5 at position 0"),
        (b"a", "has labels of the type bytes and int"),
        ("0", "has labels of the type int and str"),
        (2, "has labels that are not among the classes"),
    ],
)
def test_a_key_of_class_weight_is_a_label(label, problem):
    with pytest.raises(ValueError, match=f"class_weight {problem}"):
        quick(class_weight={label: 1.0, 1: 2.0}).fit(X, y)


@pytest.mark.parametrize("classes", [{0, 1}, {0: 1}, "01", 2, [[0, 1]], [], [0, "1"], [b"0"]])
def test_classes_that_are_no_list_of_labels_are_named(classes):
    model = quick()
    with pytest.raises(ValueError, match="classes"):
        model.partial_fit(X, y, classes=classes)
    assert not hasattr(model, "params_")
    model.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="classes"):
        model.partial_fit(X, y, classes=classes)


@pytest.mark.parametrize("kind", ["int", "uint64", "bool", "float"])
def test_numbers_in_an_array_of_objects_are_labels_of_their_type(kind):
    dtype = np.dtype(kind)
    labels = y.astype(dtype)
    labels = objects((labels + np.uint64(2**63) if kind == "uint64" else labels).tolist())
    model = quick().fit(X, labels)
    assert model.classes_.dtype == dtype
    assert model.classes_.tolist() == sorted(set(labels))
    assert model.score(X, labels) == np.mean(model.predict(X) == labels)
    again = quick().partial_fit(X, labels, classes=labels)
    assert_array_equal(again.classes_, model.classes_)
    quick().fit(X, labels, X_val=X, y_val=labels)


def test_columns_of_nullable_booleans_are_an_indicator():
    Y = np.c_[y, 1 - y]
    frame = pd.DataFrame(Y > 0, columns=["a", "b"]).astype("boolean")
    assert_array_equal(quick().fit(X, frame).params_, quick().fit(X, Y).params_)


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (["a", 0], "type int and str"),
        ([b"a", b"b"], "type bytes"),
        (np.array([b"a", b"b"]), "dtype |S1"),
        (objects([b"a", b"b"]), "type bytes"),
        (objects([Decimal(0), Decimal(1)]), "type Decimal"),
        (objects([2**70, 0]), "type int"),
        (objects([2**63, -1]), "type int"),
        (objects([(0,), (1,)]), "type tuple"),
        (np.array([(0,), (1,)], dtype=[("a", int)]), "dtype [('a', '<i8')]"),
        (np.array([1j, 0]), "dtype complex128"),
    ],
)
def test_labels_of_a_type_that_is_not_accepted_are_named(labels, found):
    labels = labels * 60 if isinstance(labels, list) else np.tile(labels, 60)
    with pytest.raises(ValueError, match=re.escape(found) + ".* Labels must be all strings"):
        quick().fit(X, labels)


@pytest.mark.parametrize("labels", [None, "01", {0, 1}, 5, np.array(1)])
def test_labels_that_are_no_array_are_named(labels):
    with pytest.raises(ValueError, match=r"Expected array-like .* as y"):
        quick().fit(X, labels)


def test_float_labels_beyond_exact_integers_are_refused_without_a_warning():
    with pytest.raises(ValueError, match=r"continuous\. y has 1e\+300 at position \d+"):
        quick().fit(X, y * 1e300)
    assert quick().fit(X, y.astype(np.float16)).classes_.dtype == np.float16


def test_neighbouring_large_labels_are_told_apart_in_an_unsigned_dtype():
    classes = np.array([2**60, 2**60 + 1, 2**63 + 5], np.uint64)
    model = quick().partial_fit(X, 2**60 + y, classes=classes)
    expected = quick().partial_fit(X, y, classes=[0, 1, 2])
    assert_array_equal(model.params_, expected.params_)


def test_the_classes_of_a_multilabel_target_may_be_given_in_each_call():
    Y = np.c_[y, 1 - y]
    model = quick().partial_fit(X, Y, classes=["a", "b"])
    model.partial_fit(X, Y, classes=["a", "b"])
    assert model.n_iter_ == 2


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


@pytest.mark.parametrize("weight", [1e-60, 5e-324])
def test_weights_that_are_too_small_for_the_penalty_are_named(weight):
    message = rf"sample_weight of mean {weight:.3g} .*alpha=0\.0001.* Scale sample_weight"
    for weights in (np.full(120, weight), weight * y):
        with pytest.raises(ValueError, match=message.replace(f"{weight:.3g}", r"\S+")):
            quick(alpha=1e-4).fit(X, y, weights)


@pytest.mark.filterwarnings("ignore:Training ended after")
@pytest.mark.parametrize("settings", [{}, {"early_stopping": True}, {"solver": "lbfgs"}])
@pytest.mark.parametrize("target", [y, np.c_[y, 1 - y, y]])
def test_the_smallest_weights_are_like_ones(settings, target):
    weight = (np.arange(120) % 2).astype(float)
    expected = quick(alpha=0, **settings).fit(X, target, weight)
    model = quick(alpha=0, **settings).fit(X, target, 5e-324 * weight)
    assert_array_equal(model.params_, expected.params_)
    assert_array_equal(model.history_["validation_loss"], expected.history_["validation_loss"])


@pytest.mark.parametrize("heavy", [1e40, 1e300])
def test_a_heavy_row_may_be_held_out(heavy):
    weight = np.r_[heavy, np.ones(119)]
    for seed in range(30):  # a tenth of the rows is held out
        model = quick(early_stopping=True).set_params(random_state=seed).fit(X, y, weight)
        assert np.isfinite(model.history_["loss"]).all()
        assert np.isfinite(model.history_["validation_loss"]).all()


@pytest.mark.filterwarnings("ignore:Training ended after")
@pytest.mark.parametrize("weights", [(1e-310, 1), (5e-324, 1), (1e-200, 1e200)])
@pytest.mark.parametrize("settings", [{}, {"early_stopping": True}, {"solver": "lbfgs"}])
def test_a_weight_whose_ratio_to_the_largest_is_beyond_float64_counts_as_0(weights, settings):
    large = np.arange(120) % 3 > 0
    weight, expected = np.where(large, *weights[::-1]), np.where(large, weights[1], 0)
    model = quick(alpha=0, **settings).fit(X, y, weight)
    assert_array_equal(model.params_, quick(alpha=0, **settings).fit(X, y, expected).params_)
    validated = quick(alpha=0).fit(X, y, X_val=X, y_val=y, sample_weight_val=weight)
    again = quick(alpha=0).fit(X, y, X_val=X, y_val=y, sample_weight_val=expected)
    assert validated.history_["validation_loss"] == again.history_["validation_loss"]


def test_tiny_weights_are_read_whatever_numpys_errstate_is():
    weight = np.where(np.arange(120) % 3, 1, 1e-200)
    model = quick(class_weight={0: 1e-200, 1: 1e-100})
    with np.errstate(all="raise"):
        model.partial_fit(X, y, weight, classes=[0, 1])
    assert np.isfinite(model.params_).all()


def test_a_class_weight_times_a_sample_weight_may_vanish():
    weight = np.where(y, 1, 1e-200)
    model = quick(class_weight={0: 1e-200}).partial_fit(X, y, weight, classes=[0, 1])
    expected = quick(class_weight={0: 0}).partial_fit(X, y, weight, classes=[0, 1])
    assert_array_equal(model.params_, expected.params_)


def test_one_number_is_the_weight_of_each_row():
    expected = quick(alpha=1.0).fit(X, y, np.full(120, 2.0)).params_
    for weight in (2, 2.0, np.float32(2), np.array(2)):
        assert_array_equal(quick(alpha=1.0).fit(X, y, weight).params_, expected)
    quick().fit(X, y, X_val=X, y_val=y, sample_weight_val=2)
    quick().partial_fit(X, y, 1.0, classes=[0, 1])
    with pytest.raises(ValueError, match="sample_weight is all zero"):
        quick().fit(X, y, 0)


@pytest.mark.parametrize(
    "weight", [np.ones((120, 1)), np.ones(2), ["a", "b"], [[1], [1, 2]], "two"]
)
def test_classes_are_spoken_of_only_where_they_may_have_been_meant(weight):
    with pytest.raises(ValueError, match=r"sample_weight .*is not accepted") as caught:
        quick().fit(X, y, weight)
    assert "classes" not in str(caught.value)
    model = quick()
    with pytest.raises(ValueError, match=r"classes .* by keyword: classes=\.\.\. The third"):
        model.partial_fit(X, y, weight)
    model.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match=r"is not accepted.* pass classes by keyword"):
        model.partial_fit(X, y, weight)


def test_classes_as_third_argument_are_noticed_also_if_they_are_as_many_as_the_rows():
    with pytest.raises(
        ValueError, match=r"by keyword: classes=\.\.\. The third position is sample"
    ):
        quick().partial_fit(X[:2], [1, 2], np.array([1, 2]))


@pytest.mark.parametrize("weight", [np.ones(120) + 0j, np.arange(120).astype("datetime64[D]")])
def test_weights_that_are_no_real_numbers_are_refused(weight):
    with pytest.raises(
        ValueError, match=rf"sample_weight has values that are {re.escape(str(weight.dtype))}"
    ):
        quick().fit(X, y, weight)


@pytest.mark.parametrize("settings", [{}, {"early_stopping": True}])
def test_classes_of_weight_zero_are_not_trained_on_or_held_out(settings):
    target = np.arange(120) % 3
    model = quick(class_weight={2: 0}, **settings).set_params(max_iter=40).fit(X, target)
    assert 2 not in model.predict(X)
    assert np.isfinite(model.history_["loss"]).all()


def test_a_view_of_rows_is_like_a_copy_of_the_rows():
    rows = np.array([7, 3, 3, 90])
    view = labelled(X, y).take(rows).X
    assert view.shape == X[rows].shape
    assert_array_equal(view[1:3], X[rows][1:3])
    assert_array_equal(view.astype("float32", copy=False), X[rows].astype("float32"))


def total_variance(X, weight=None):
    return Data(X, None, None, weight, None).inputs.total_variance


def test_total_variance_is_the_sum_of_the_weighted_variances():
    Z, count = X * [1, 10, 0] + 100, rng.randint(3, size=120)
    weight = count[:, None].astype(float)
    found = [total_variance(Z.repeat(count, axis=0)), total_variance(Z, weight)]
    found.append(total_variance(sparse.csr_array(Z), weight))
    assert_allclose(found, np.cov(Z.T, fweights=count, ddof=0).trace())
    assert_allclose(total_variance(rng.randn(20_000, 60)), 60, rtol=0.02)


def test_a_constant_feature_has_no_variance_whatever_the_weights():
    for seed in range(50):
        weight = np.random.RandomState(seed).rand(40, 1)
        assert 0 <= total_variance(np.full((40, 2), 0.1 + seed), weight) < 1e-20


def test_the_total_variance_of_huge_values_with_huge_weights_does_not_overflow():
    values = np.array([[1e30], [-1e30]])
    assert total_variance(values, np.full((2, 1), 1e300)) == pytest.approx(1e60)


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
    with pytest.raises(ValueError, match=f"class_weight times sample_weight adds up to {total}"):
        model.fit(X, y, np.full(len(y), weight))
    assert not hasattr(model, "params_")


def test_infinities_of_both_signs_are_named_without_a_warning():
    with pytest.raises(ValueError, match="infinity"):
        quick().fit(np.array([[np.inf], [-np.inf]], np.float16), [0, 1])


def test_large_unscaled_features_give_a_warning_with_the_remedy():
    with pytest.warns(UserWarning, match=r"not scaled.*NumericalEncoder\(\)") as caught:
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
    targets = ClassTargets.of(np.array(["a", "b", "c"]))
    encoded, weight = targets.encode(np.array(list("aabccc"))), np.arange(1.0, 7)[:, None]
    counted = targets.count(encoded, weight, anew=True)
    assert_allclose(counted.sums, [[3, 3, 15]])
    assert_allclose(counted.class_weights("balanced") * counted.sums, [[7, 7, 7]])
    assert_allclose(counted.count(encoded, weight, anew=False).sums, [[6, 6, 30]])
    # A class that does not occur is left out, and changes nothing for the others.
    counted = targets.count(encoded[:3], weight[:3], anew=True)
    per_class = counted.class_weights("balanced")
    assert_allclose(per_class * counted.sums, [[3, 3, 0]])
    assert np.isfinite(per_class).all()
    tenth = replace(counted, sums=0.1 * counted.sums)
    assert_allclose(tenth.class_weights("balanced"), per_class)


def test_the_classes_of_each_label_are_0_and_1():
    targets = replace(ClassTargets.of(np.eye(3, dtype=int)), sums=np.ones((3, 2)))
    assert_array_equal(targets.class_weights({0: 2.0}), [[2, 1]] * 3)
    assert_array_equal(targets.class_weights({0: 2.0, 1: 5.0}), [[2, 5]] * 3)


def test_balanced_class_weights_leave_a_constant_label_as_it_is():
    Y = np.array([[0, 1, 1], [0, 0, 1], [0, 1, 1]])
    targets = ClassTargets.of(Y)
    targets = targets.count(targets.encode(Y), None, anew=True)
    assert_allclose(targets.sums, [[3, 0], [1, 2], [0, 3]])
    balanced = targets.class_weights("balanced") * targets.sums
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
