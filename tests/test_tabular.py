"""TabularEncoder: what becomes of each kind of column, and what it must not give away."""

import calendar
import pickle
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, TargetEncoder

from sknumpynet import NumericalEncoder, NumpyMLPClassifier, NumpyMLPRegressor, TabularEncoder
from sknumpynet.preprocessing.averages import level_means, sums_of

rng = np.random.RandomState(0)
N = 600


def ids(n_levels, n=N):
    return np.array([f"id{k:04}" for k in rng.randint(0, n_levels, n)], object)


def frame():
    """Return a table of all kinds of columns."""
    k = np.arange(N)
    table = pd.DataFrame({"amount": rng.randn(N), "group": rng.choice(["a", "b", "c"], N)})
    table["count"] = pd.array(rng.poisson(3, N), dtype="Int64")
    table["member"] = pd.array(rng.rand(N) < 0.5, dtype="boolean")
    table["shop"] = pd.Categorical(ids(40))
    table["when"] = pd.Timestamp(2020, 1, 1) + pd.to_timedelta(rng.randint(0, 9000, N), unit="h")
    table["local"] = table["when"].dt.tz_localize("Asia/Tokyo")
    table["took"] = pd.to_timedelta(k % 50, unit="min")
    table["sure"] = rng.rand(N) < 0.5
    for j, name in enumerate(["amount", "group", "count", "member", "shop", "when", "took"]):
        table.loc[j::11, name] = None
    return table


TABLE = frame()
TABLE_Y = (TABLE["group"] == "a").to_numpy().astype(int)


@pytest.fixture(scope="module")
def fitted():
    """Return an encoder of that table; tests do not change it."""
    return TabularEncoder(n_bins=0).fit(TABLE, TABLE_Y)


def column(values, y=None, **parameters):
    """Return the encoder of a single column, and the names of its results."""
    encoder = TabularEncoder(**parameters).fit(pd.DataFrame({"x": values}), y)
    return encoder, list(encoder.get_feature_names_out())


def test_few_levels_are_one_hot_as_of_scikit_learn():
    X = TABLE[["group"]].fillna("none")
    expected = OneHotEncoder(sparse_output=False).fit_transform(X)
    assert_array_equal(TabularEncoder().fit_transform(X), expected)


def test_two_levels_are_one_column_and_one_is_none():
    encoder, names = column(["no", "yes", "no", "no"])
    assert names == ["x_yes"]
    new = pd.DataFrame({"x": ["yes", "no", "never seen"]})
    assert_array_equal(encoder.transform(new).ravel(), [1, 0, 0.25])
    assert column(["no"] * 4)[1] == []


@pytest.mark.parametrize("absent", [None, np.nan, pd.NA])
def test_missing_is_a_level(absent):
    encoder, names = column(["a", absent, "b", "c"])
    assert names == ["x_a", "x_b", "x_c", "x_missing"]
    assert_array_equal(
        encoder.transform(pd.DataFrame({"x": [absent, "d"]})), [[0, 0, 0, 1], [0] * 4]
    )


def shrunk(codes, t):
    """Return m, the variance within levels by that between them, by the textbook's sums."""
    groups = [t[codes == k] for k in np.unique(codes)]
    sizes, k, n = np.array([len(g) for g in groups]), len(groups), len(t)
    within = sum(((g - g.mean()) ** 2).sum() for g in groups) / (n - k)
    between = sum(len(g) * (g.mean() - t.mean()) ** 2 for g in groups) / (k - 1)
    return within / ((between - within) / ((n - (sizes**2).sum() / n) / (k - 1)))


def test_statistics_are_those_of_scikit_learn_with_the_smoothing_of_the_analysis_of_variance():
    shop = ids(40)
    effect = dict(zip(np.unique(shop), rng.rand(40), strict=True))
    y = (rng.rand(N) < [effect[s] for s in shop]).astype(int)
    m = shrunk(shop, y)
    reference = TargetEncoder(smooth=m, target_type="binary").fit(shop[:, None], y)
    known = pd.DataFrame({"x": [*reference.categories_[0], "never seen"]})
    encoder, names = column(shop, y)
    found = encoder.transform(known).ravel().astype(float)
    found /= np.sqrt(1 - (found / 3) ** 2)  # what clips it, undone
    assert names == ["x_mean"]
    expected = np.append(reference.encodings_[0], y.mean()) - y.mean()
    assert_allclose(found / found[0], expected / expected[0], rtol=1e-5, atol=1e-6)


def test_means_have_the_limits_of_many_rows_and_of_no_signal():
    codes, t = np.repeat(np.arange(5), 100_000), rng.randn(500_000)
    t += codes - t.mean() - codes.mean()
    weight = np.ones(len(t))
    means = level_means(sums_of(codes, (5,), t[:, None], weight)).ravel()
    assert_allclose(means, [*(t[codes == k].mean() for k in range(5)), 0], atol=1e-4)
    balanced = np.tile([1.0, -1.0], 100)  # each level has the mean of all
    means = level_means(
        sums_of(np.repeat(np.arange(20), 10), (20,), balanced[:, None], np.ones(200))
    )
    assert_array_equal(means, 0)


def correlation(a, b):
    return abs(np.corrcoef(a, b)[0, 1])


def test_what_is_learnt_from_a_row_itself_would_give_its_label_away():
    y = rng.randint(0, 2, N)
    pairs = np.repeat([f"pair{k}" for k in range(100)], 2)  # whose labels are equal
    y[:200] = np.repeat(rng.randint(0, 2, 100), 2)
    X = pd.DataFrame({"x": np.append(pairs, ids(250)[:400]), "z": rng.randn(N)})
    encoder = TabularEncoder(n_bins=0)
    own, shown = encoder.fit_transform(X, y)[200:, 1], encoder.transform(X)[200:, 1]
    assert correlation(own, y[200:]) < 0.2
    assert correlation(shown, y[200:]) > 0.4  # what fit_transform must not return


def test_levels_that_occur_once_say_nothing():
    X = pd.DataFrame({"x": [f"row {k}" for k in range(N)]})
    assert_array_equal(TabularEncoder().fit_transform(X, rng.randint(0, 2, N)), 0)


def test_copies_of_a_row_do_not_give_its_label_away():
    X = pd.DataFrame(
        {"x": np.repeat([f"row {k}" for k in range(200)], 3), "z": np.repeat(rng.randn(200), 3)}
    )
    y = np.repeat(rng.randint(0, 2, 200), 3)
    name = "x_mean"
    encoder = TabularEncoder(n_bins=0)
    own = pd.DataFrame(encoder.fit_transform(X, y), columns=encoder.get_feature_names_out())
    assert_array_equal(own[name], 0)


def test_numbers_as_targets_and_many_classes():
    shop = ids(40)
    effect = {s: k for k, s in enumerate(np.unique(shop))}
    y = np.array([effect[s] for s in shop]) + rng.randn(N)
    encoder, names = column(shop, y)
    assert names == ["x_mean"]
    assert np.corrcoef(encoder.transform(pd.DataFrame({"x": shop})).ravel(), y)[0, 1] > 0.99
    assert column(shop, np.column_stack([y, -y]))[1] == ["x_mean0", "x_mean1"]
    assert column(shop, np.array(["u", "v", "w"])[rng.randint(0, 3, N)])[1] == [
        "x_mean_u",
        "x_mean_v",
        "x_mean_w",
    ]
    assert len(column(shop, np.array([f"class {k}" for k in range(N)]))[1]) == 30
    encoder, names = column(shop)
    assert len(names) == 20
    commonest = pd.Series(shop).value_counts()
    assert commonest[[name[2:] for name in names]].min() >= commonest.iloc[20]


@pytest.mark.parametrize("alone", [True, False])
def test_a_table_about_its_ids_is_learnt_from(alone):
    city = rng.randint(0, 30, 2000)
    X = pd.DataFrame({"city": [f"city {k}" for k in city]})
    if not alone:
        X = X.assign(people=city**2.0, region=[f"region {k % 7}" for k in city])
    y = (city < 15) ^ (rng.rand(2000) < 0.1)
    model = make_pipeline(TabularEncoder(), NumpyMLPClassifier(16, effort=0.3, random_state=0))
    assert model.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.85


def test_training_and_new_rows_have_the_same_scale():
    y = rng.randn(N)
    own, shown = (
        part(pd.DataFrame({"x": np.repeat([f"row {k}" for k in range(200)], 3)}))
        for part in (
            lambda X: TabularEncoder().fit_transform(X, y),
            lambda X: TabularEncoder().fit(X, y).transform(X),
        )
    )
    assert_array_equal(
        own, 0
    )  # copies say nothing of each other, so neither does the id of new rows
    assert_array_equal(shown, 0)


LAW = np.random.RandomState(1).randint(0, 100, 2000)  # amounts, of which every seventh counts


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        (LAW % 7 == 0, "code"),
        ((LAW % 7 == 0) * 5 + rng.randn(2000), "code"),
        (np.where(LAW % 7 == 0, "a", np.where(LAW % 7 == 3, "b", "c")), "code"),
        (LAW + 9 * rng.randn(2000) > 60, "number"),
        (np.sin(LAW / 20) + 0.3 * rng.randn(2000), "number"),
        (rng.randint(0, 2, 2000), "number"),
        (None, "number"),
    ],
    ids=["classes", "numbers", "three classes", "soft threshold", "smooth", "noise", "no y"],
)
def test_a_number_is_a_code_if_its_values_say_more_than_its_size(y, kind):
    encoder = TabularEncoder(n_bins=0).fit(pd.DataFrame({"x": LAW}), y)
    assert encoder.kinds_ == [kind]
    names = encoder.get_feature_names_out().tolist()
    assert names[0] == "x"
    assert all(name.startswith("x_mean") for name in names[1:])
    assert (len(names) > 1) == (kind == "code")


@pytest.mark.parametrize("factor", [1e-3, 100.0])
def test_codes_do_not_depend_on_the_scale_of_the_weights(factor):
    y = LAW % 7 == 0
    encoder = TabularEncoder(n_bins=0).fit(pd.DataFrame({"x": LAW}), y, np.full(2000, factor))
    assert encoder.kinds_ == ["code"]


def test_codes_are_found_among_many_rows():
    X = np.random.RandomState(2).randint(0, 100, (60_000, 1))
    assert TabularEncoder(n_bins=0).fit(X, X[:, 0] % 7 == 0).kinds_ == ["code"]


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_rows_and_numbers_as_targets(n):
    assert (
        TabularEncoder().fit_transform(TABLE[["amount"]][1 : n + 1], np.arange(n) / 3).shape[0] == n
    )


def test_equal_numbers_are_one_level():
    values = [Decimal("1.50"), Decimal("1.5"), Decimal("2.00"), 2, 2.0, np.float32(2)]
    encoder = TabularEncoder(["x"]).fit(pd.DataFrame({"x": pd.Series(values, dtype=object)}))
    assert encoder.levels_ == [["1.5", "2"]]


@pytest.mark.parametrize("values", [LAW % 21, LAW / 7, np.arange(2000) // 4])
def test_few_values_fractions_and_rare_values_are_no_codes(values):
    y = np.isin(values, np.unique(values)[::7])
    assert TabularEncoder(n_bins=0).fit(pd.DataFrame({"x": values}), y).kinds_ == ["number"]


@pytest.mark.parametrize("convert", [pd.DataFrame, pl.from_pandas, pa.table, np.asarray])
def test_a_code_is_a_number_and_a_category_with_missing_and_unknown_values(convert):
    y = LAW % 7 == 0
    X = pd.DataFrame({"x": np.where(rng.rand(2000) < 0.1, np.nan, LAW)})
    new = pd.DataFrame({"x": [7.0, 8.0, np.nan, 3.5, 1000.0]})
    encoder = TabularEncoder(n_bins=0).fit(convert(X), y)
    assert encoder.kinds_ == ["code"]
    seventh, other, missing, fraction, unknown = encoder.transform(convert(new))[:, -1]
    assert seventh > 1.5
    assert -1 < other < 0
    assert abs(missing) < 0.5
    assert fraction == unknown == 0  # the mean of all
    model = make_pipeline(encoder, NumpyMLPClassifier(16, effort=0.3, random_state=0))
    known = X["x"].notna()
    assert np.mean(model.fit(convert(X), y).predict(convert(X))[known] == y[known]) > 0.99


@pytest.mark.parametrize("outlier", [1e4, -1e300])
def test_an_outlier_of_y_does_not_decide(outlier):
    shop = ids(40)
    y = np.char.partition(shop.astype(str), "id")[:, 2].astype(float) + rng.randn(N)
    expected = column(shop, y)[0].transform(pd.DataFrame({"x": shop}))
    y[0] = outlier
    found = column(shop, y)[0].transform(pd.DataFrame({"x": shop}))
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.98


def test_weights_are_relative_and_rows_without_are_not_seen():
    X, y = TABLE[["amount", "shop", "group"]], TABLE_Y
    weight = rng.randint(1, 5, N).astype(float)
    expected = TabularEncoder().fit(X, y, weight).transform(X)
    assert_allclose(TabularEncoder().fit(X, y, 7 * weight).transform(X), expected, atol=1e-5)
    half = np.where(np.arange(N) < 300, 1.0, 0.0)
    with_zeros = TabularEncoder().fit(X, y, half)
    without = TabularEncoder().fit(X[:300], y[:300])
    assert with_zeros.levels_ == without.levels_
    assert_allclose(with_zeros.transform(X), without.transform(X), atol=1e-5)
    own = TabularEncoder().fit_transform(X, y, half)
    assert_allclose(own[:300], TabularEncoder().fit_transform(X[:300], y[:300]), atol=1e-5)


def test_dates_are_what_the_calendar_says():
    days = [datetime(2020, 2, 29, 18), datetime(1969, 12, 31), datetime(2021, 7, 4, 6, 30), None]
    encoder, names = column(pd.Series(days), n_bins=0)
    assert encoder.kinds_ == ["date"]
    parts, _ = encoder_numbers(pd.DataFrame({"x": pd.Series(days)}), encoder)
    by_name = dict(zip([part for _, part in encoder._parts], parts.T, strict=True))
    for row, day in enumerate(days[:3]):
        found = {name: values[row] for name, values in by_name.items()}
        assert (found["year"], found["month"]) == (day.year, day.month)
        assert found["weekday"] == day.weekday() == calendar.weekday(*day.timetuple()[:3])
        assert found["days"] == (day - datetime(1970, 1, 1)) / timedelta(days=1)
        turn = 2 * np.pi * (day.timetuple().tm_yday - 1) / 365.25
        assert_allclose([found["year_sin"], found["year_cos"]], [np.sin(turn), np.cos(turn)])
    assert np.isnan(parts[3]).all()
    assert [name for name in names if "missing" in name] == ["x_days_missing"]


def encoder_numbers(X, encoder):
    from sknumpynet.preprocessing.columns import Columns

    return Columns(X).numbers(encoder.kinds_)


@pytest.mark.parametrize("make", [pl.from_pandas, pa.Table.from_pandas])
def test_data_frames_of_all_libraries_are_equal(make):
    other = make(TABLE)
    encoder, theirs = TabularEncoder(n_bins=0), TabularEncoder(n_bins=0)
    expected, found = encoder.fit_transform(TABLE, TABLE_Y), theirs.fit_transform(other, TABLE_Y)
    assert encoder.kinds_ == theirs.kinds_
    assert_array_equal(found, expected)
    assert_array_equal(theirs.get_feature_names_out(), encoder.get_feature_names_out())
    assert_array_equal(encoder.transform(other), theirs.transform(TABLE))


LARGE = [2**60 + k for k in range(9)]
NULLABLE = {
    "pandas": lambda v: pd.DataFrame({"a": pd.array(v, dtype="Int64")}),
    "pandas of Arrow": lambda v: pd.DataFrame({"a": pd.array(v, dtype="int64[pyarrow]")}),
    "Polars": lambda v: pl.DataFrame({"a": v}),
    "Arrow": lambda v: pa.table({"a": v}),
}


@pytest.mark.parametrize("library", NULLABLE)
def test_large_integers_remain_distinct_levels(library):
    make = NULLABLE[library]
    for values in (LARGE, [*LARGE, None]):
        encoder = TabularEncoder(["a"]).fit(make(values * 3))
        assert encoder.levels_ == [[*map(str, LARGE), *([None] if None in values else [])]]
        assert_array_equal(encoder.transform(make(LARGE))[:, :9], np.eye(9))


EMPTY = {
    "floats": [np.nan, np.nan],
    "objects": pd.Series([None, None], dtype=object),
    "no dates": pd.to_datetime([None, None]),
    "no durations": pd.to_timedelta([None, None]),
    "no integers": pd.array([None, None], dtype="Int64"),
    "no booleans": pd.array([None, None], dtype="boolean"),
}


@pytest.mark.parametrize("kind", EMPTY)
@pytest.mark.parametrize("name", ["amount", "group", "member", "when", "took"])
def test_a_column_may_be_missing_in_all_new_rows(kind, name, fitted):
    holes = TABLE[:2].copy()
    holes[name] = pd.Series([None, None], dtype=TABLE[name].dtype)
    assert_array_equal(
        fitted.transform(holes.assign(**{name: EMPTY[kind]})), fitted.transform(holes)
    )


def test_a_column_without_values_has_no_columns_and_may_have_some_later():
    for empty in ([None] * 4, [np.nan] * 4):
        X = pd.DataFrame({"a": [1, 2, 3, 4], "b": empty})
        encoder = TabularEncoder().fit(X)
        assert encoder.kinds_ == ["number", "empty"]
        assert list(encoder.get_feature_names_out()) == ["a"]
        for later in ("text", 3, pd.Timestamp("2020-01-01")):
            assert_array_equal(encoder.transform(X.assign(b=later)), encoder.transform(X))


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_dates_may_be_categories(unit):
    days = pd.Series(pd.to_datetime(["2020-01-01", "2021-01-01", None] * 4)).astype(f"M8[{unit}]")
    X = pd.DataFrame({"x": days, "y": (days - days[0])})
    encoder = TabularEncoder(["x", "y"]).fit(X)
    assert encoder.levels_[0] == ["2020-01-01 00:00:00", "2021-01-01 00:00:00", None]
    assert_array_equal(
        encoder.transform(X.astype({"x": "M8[us]"})), TabularEncoder(["x", "y"]).fit_transform(X)
    )


@pytest.mark.parametrize(
    "absent", [np.float32("nan"), np.datetime64("NaT"), pd.NaT, Decimal("NaN")]
)
def test_what_is_missing_in_columns_of_objects(absent):
    values = np.array(["a", absent, "b", "c"], object)
    assert TabularEncoder().fit(pd.DataFrame({"x": pd.Series(values, dtype=object)})).levels_ == [
        ["a", "b", "c", None]
    ]


@pytest.mark.skipif(not hasattr(np.dtypes, "StringDType"), reason="NumPy 2 has StringDType")
@pytest.mark.parametrize("absent", [np.nan, None])
def test_strings_of_numpy_with_missing_ones(absent):
    X = np.array([["a"], ["b"], [absent]], dtype=np.dtypes.StringDType(na_object=absent))
    assert TabularEncoder().fit(X).levels_ == [["a", "b", None]]


def test_bytes_are_levels():
    values = [b"a", b"b", None, b"\xff"] * 3
    frames = [pd.DataFrame({"x": values}), pl.DataFrame({"x": values}), pa.table({"x": values})]
    for X in frames:
        assert TabularEncoder().fit(X).levels_ == [["\\xff", "a", "b", None]]


def test_a_batch_of_arrow_is_a_table():
    batch = pa.record_batch({"a": [1, None, 3], "b": ["u", None, "v"], "c": [True, None, False]})
    table = pa.Table.from_batches([batch])
    assert_array_equal(TabularEncoder().fit_transform(batch), TabularEncoder().fit_transform(table))


def test_names_are_distinct():
    X = pd.DataFrame(
        {"x": ["missing", None, "a", "b"], "x_a": [1, 2, None, 4], "x_a_missing": [1, 2, 3, 5]}
    )
    encoder = TabularEncoder(n_bins=0).fit(X)
    names = encoder.get_feature_names_out().tolist()
    assert names == [
        "x_a",
        "x_a_missing",
        "x_a_missing_2",
        "x_a_2",
        "x_b",
        "x_missing",
        "x_missing_2",
    ]
    assert encoder.set_output(transform="polars").transform(X).columns == names


def test_periods_are_the_dates_at_which_they_begin():
    days = pd.Series(pd.to_datetime(["2020-01-01", "2020-03-01", "2021-07-01"]))
    periods = days.dt.to_period("M")
    encoder, names = column(periods)
    assert names == column(days)[1]
    assert_array_equal(encoder.numerical_.center_, column(days)[0].numerical_.center_)


def test_dates_with_a_zone_are_those_of_its_clocks():
    hours = [9, 13, 23]
    zone = timezone(timedelta(hours=5))
    objects = pd.Series([datetime(2020, 1, 2, h, tzinfo=zone) for h in hours], dtype=object)
    plain = pd.Series([datetime(2020, 1, 2, h) for h in hours])
    for dates in (objects, plain.dt.tz_localize("Asia/Tokyo"), plain.dt.tz_localize(UTC)):
        assert_array_equal(column(dates)[0].numerical_.center_, column(plain)[0].numerical_.center_)


def test_new_dates_may_be_strings():
    encoder = TabularEncoder().fit(TABLE[["when", "took"]])
    texts = TABLE["when"].dt.strftime("%Y-%m-%dT%H:%M").astype(object)
    expected = encoder.transform(TABLE[["when", "took"]])
    assert_array_equal(encoder.transform(TABLE[["took"]].assign(when=texts)), expected)
    message = r"strings .* in column 'when', where fit has seen dates"
    for wrong in ("yesterday", "today", "20200110", "2020", "2020-01-10T03:00:00+09:00"):
        with pytest.raises(ValueError, match=message):
            encoder.transform(TABLE[["took"]].assign(when=wrong))


def test_columns_come_in_any_order(fitted):
    expected = fitted.transform(TABLE)
    backwards = TABLE[TABLE.columns[::-1]]
    for table in (backwards, pl.from_pandas(backwards), pa.Table.from_pandas(backwards)):
        assert_array_equal(fitted.transform(table), expected)


def test_lists_and_arrays_are_tables_too():
    rows = [[1.5, "a", True], [2, "b", False], [None, "a", True], [4, None, False]]
    encoder = TabularEncoder().fit(rows)
    assert encoder.kinds_ == ["number", "category", "category"]
    assert_array_equal(encoder.transform(np.array(rows, object)), encoder.transform(rows))
    numbers = rng.randn(50, 3)
    for X in (numbers, numbers.astype(np.float32), pd.DataFrame(numbers)):
        expected = NumericalEncoder().fit_transform(X)
        assert_array_equal(TabularEncoder().fit_transform(X), expected)


def test_categorical_features_are_told_by_position_mask_and_name():
    X = pd.DataFrame({"a": [1, 2, 3, 1] * 5, "b": [True, False] * 10, "c": ["u", "v"] * 10})
    for given_ in ([0], [-3], [True, False, False], ["a"], np.array(["a"]), pd.Index(["a"])):
        encoder = TabularEncoder(given_).fit(X)
        assert encoder.kinds_ == ["category", "number", "category"]
        names = encoder.get_feature_names_out().tolist()
        assert names == ["b", "a_1", "a_2", "a_3", "c_v"]
    for nothing in (None, [], [False] * 3):
        assert TabularEncoder(nothing).fit(X).kinds_ == ["number", "number", "category"]
    whole = pd.DataFrame({"a": [1.0, 2.0, 3.0, 7.0], "b": [True] * 4, "c": ["u"] * 4})
    encoder = TabularEncoder([0]).fit(X)
    assert_array_equal(encoder.transform(whole)[:, 1:4], [*np.eye(3), [0, 0, 0]])


WRONG = [["a", "nope"], "a", [5], [True], 1.5, {"a": 1}]


@pytest.mark.parametrize("wrong", WRONG, ids=map(str, WRONG))
def test_other_categorical_features_are_refused(wrong):
    X = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    with pytest.raises(ValueError, match=r"categorical_features=.*2 columns.*'a', 'b'"):
        TabularEncoder(wrong).fit(X)


BAD = {
    "lists": ({"x": [[1], [2]]}, r"\[1\] in column 'x'.*neither a number nor a category"),
    "dictionaries": ({"x": [{"a": 1}, {}]}, r"'a': 1.* in column 'x'"),
    "arrays": ({"x": [np.ones(2), np.ones(3)]}, "in column 'x'"),
    "text": (
        {"x": [f"a sentence of some words {k}" for k in range(30)]},
        r"text in column 'x'.*skrub: make_pipeline\(skrub\.TableVectorizer",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_columns_that_cannot_be_encoded_are_named_with_a_remedy(kind):
    columns, message = BAD[kind]
    with pytest.raises((TypeError, ValueError), match=message):
        TabularEncoder().fit(pd.DataFrame(columns))


@pytest.mark.parametrize(
    ("strings", "remedy"),
    [
        ([f"{k}.5" for k in range(30)], "numbers as strings in column 'x'.*to_numeric"),
        (["?", *map(str, range(40))], "numbers as strings in column 'x'.*to_numeric"),
        ([f"{k}.12.2020" for k in range(30)], "dates as strings in column 'x'.*to_date"),
        ([f"2020-01-{k:02} 12:00" for k in range(30)], "dates as strings in column 'x'.*to_date"),
    ],
)
def test_strings_that_look_like_numbers_or_dates_are_warned_of(strings, remedy):
    with pytest.warns(UserWarning, match=remedy) as caught:
        TabularEncoder().fit(pd.DataFrame({"x": strings}))
    assert caught[0].filename == __file__


CHANGED = {
    "missing": (lambda X: X.drop(columns="shop"), "now missing:\n- shop"),
    "more": (lambda X: X.assign(other=1), "unseen at fit time:\n- other"),
    "strings": (lambda X: X.assign(amount="many"), r"strings.*column 'amount'.*seen numbers"),
    "dates": (lambda X: X.assign(amount=X["when"]), r"dates.*'amount'.*seen numbers"),
    "no dates": (lambda X: X.assign(when=3.5), r"numbers of dtype float64.*'when'.*seen dates"),
    "no levels": (lambda X: X.assign(group=3), r"numbers of dtype int64.*'group'.*levels \['a'"),
}


@pytest.mark.parametrize("change", CHANGED)
def test_other_columns_than_in_fit_are_named(change, fitted):
    spoil, message = CHANGED[change]
    with pytest.raises(ValueError, match=message):
        fitted.transform(spoil(TABLE))


def test_tables_without_rows_or_columns_or_with_equal_names_are_refused():
    for table in (TABLE[:0], TABLE[[]], pl.DataFrame(), np.empty((0, 2))):
        with pytest.raises(ValueError, match="Found array with 0"):
            TabularEncoder().fit(table)
    with pytest.raises(ValueError, match="several columns with the name 'a': rename"):
        TabularEncoder().fit(pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_one_row_and_many_columns_are_encoded():
    assert np.isfinite(TabularEncoder().fit_transform(TABLE[:1])).all()
    wide = pd.DataFrame({f"c{k}": ["a", "b", None] if k % 2 else [1, 2, 3] for k in range(4000)})
    assert TabularEncoder().fit_transform(wide).shape == (3, 2000 + 2000 * 3)


def test_a_failing_fit_leaves_the_encoder_as_it_was():
    encoder = TabularEncoder().fit(TABLE, TABLE_Y)
    before = pickle.dumps(encoder)
    for wrong in ([[object(), [1]]], TABLE[:0]):
        with pytest.raises((TypeError, ValueError)):
            encoder.fit(wrong)
        with pytest.raises((TypeError, ValueError)):
            encoder.fit_transform(wrong)
    assert pickle.dumps(encoder) == before


KINDS = {
    "floats": st.floats(width=32) | st.none(),
    "integers": st.integers(-(10**9), 10**9),
    "strings": st.text(max_size=3) | st.none(),
    "booleans": st.booleans() | st.none(),
    "dates": st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)) | st.none(),
    "durations": st.timedeltas(timedelta(days=-9999), timedelta(days=9999)) | st.none(),
}


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_any_frame_becomes_finite_numbers_with_a_name_each(data):
    kinds = data.draw(st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=4))
    n = data.draw(st.integers(1, 40))
    columns = {
        f"{kind}{j}": data.draw(st.lists(KINDS[kind], min_size=n, max_size=n))
        for j, kind in enumerate(kinds)
    }
    table = pl.DataFrame(columns, strict=False)
    y = data.draw(st.none() | st.lists(st.integers(0, 2), min_size=n, max_size=n))
    encoder = TabularEncoder()
    own = encoder.fit_transform(table, y)
    for result in (own, encoder.transform(table), encoder.transform(table[::-1])[::-1]):
        assert np.isfinite(result).all()
        assert result.shape == (n, len(encoder.get_feature_names_out()))
    assert_array_equal(encoder.transform(table), encoder.transform(table[::-1])[::-1])


def test_any_table_in_one_line():
    model = make_pipeline(TabularEncoder(), NumpyMLPClassifier(16, effort=0.5, random_state=0))
    assert model.fit(TABLE, TABLE_Y).score(TABLE, TABLE_Y) > 0.95
    numbers = TABLE["shop"].cat.codes.to_numpy() % 7 + rng.randn(N) / 10
    model = make_pipeline(TabularEncoder(), NumpyMLPRegressor(effort=0.5, random_state=0))
    assert model.fit(TABLE, numbers).score(TABLE, numbers) > 0.9


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_set_output_names_the_columns(container):
    encoder = TabularEncoder(n_bins=0).set_output(transform=container)
    result = encoder.fit_transform(TABLE, TABLE_Y)
    assert list(result.columns) == list(encoder.get_feature_names_out())


def test_part_of_a_table_in_a_column_transformer():
    encode = make_column_transformer((TabularEncoder(), ["group", "amount"]), remainder="drop")
    expected = TabularEncoder().fit_transform(TABLE[["group", "amount"]], TABLE_Y)
    assert_array_equal(encode.fit_transform(TABLE, TABLE_Y), expected)


def test_the_representation_tells_the_parameters():
    assert re.search("categorical_features", TabularEncoder(["a"])._repr_html_())
