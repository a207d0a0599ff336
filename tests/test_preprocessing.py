"""The encoder: what its result is by definition, and what it must not depend on."""

import datetime
import re
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import coo_array, csc_array, csr_array, csr_matrix, issparse
from scipy.stats import norm
from sklearn.impute import KNNImputer

from sknumpynet import NumericalEncoder, NumpyMLPClassifier
from sknumpynet.data.classes import ClassTargets
from sknumpynet.preprocessing import robust
from sknumpynet.preprocessing.encoding import find_tree_edges, piecewise
from sknumpynet.preprocessing.imputing import impute

UNENCODED = NumericalEncoder(n_bins=0)


def table(n=900):
    """Return an even, a normal, a lognormal and a mostly zero feature."""
    rng = np.random.RandomState(0)
    zeros = np.where(rng.rand(n) < 0.7, 0, rng.lognormal(size=n))
    return np.column_stack([rng.rand(n), 5 * rng.randn(n) - 3, rng.lognormal(0, 1.5, n), zeros])


def fitted(X, y=None, **parameters):
    return NumericalEncoder(**parameters).fit(X, y)


def test_a_normal_feature_is_standardised_and_clipped_smoothly():
    z = norm.ppf((np.arange(10_001) + 0.5) / 10_001)
    scaled = UNENCODED.fit_transform((7 + 20 * z)[:, None]).ravel()
    assert_allclose(scaled, z / np.sqrt(1 + (z / 3) ** 2), atol=2e-4)


def test_the_scale_of_a_mostly_zero_feature_is_that_of_the_rest():
    x = np.append(np.zeros(900), np.linspace(1, 3, 101))
    encoder = fitted(x[:, None], n_bins=0)
    assert encoder.center_ == 0
    assert_allclose(encoder.scale_, 1.4826 * 2)


@pytest.mark.parametrize("n_bins", [0, 8])
def test_units_do_not_matter(n_bins):
    X = table()
    expected = NumericalEncoder(n_bins).fit_transform(X)
    for factor, offset in [(1e-6, 0), (1e6, -3), (1, 1e4), (1e-300, 0), (1e290, 0)]:
        given = factor * X + offset
        assert_allclose(NumericalEncoder(n_bins).fit_transform(given), expected, atol=1e-4)


@pytest.mark.parametrize("value", [1e6, -1e6, np.inf])
def test_gross_errors_hardly_move_the_others(value):
    X = table()[:, :3]
    spoiled = X.copy()
    spoiled[:3] = value
    for n_bins in (0, 8):
        encoder = NumericalEncoder(n_bins)
        expected = encoder.fit_transform(X)[3:]
        # To an encoder that has seen complete data, they are like the median.
        medians = encoder.center_[None].repeat(3, axis=0)
        assert_array_equal(encoder.transform(spoiled)[:3], encoder.transform(medians))
        change = np.abs(encoder.fit_transform(spoiled)[3:] - expected)
        assert change[:, :3].max() < 0.02
        assert change.mean() < 0.005


def test_large_values_are_no_gross_errors():
    x = np.random.RandomState(0).lognormal(0, 2, 100_000)
    encoder = fitted(x[:, None], n_bins=0)
    z = encoder.transform(np.sort(x)[:, None]).ravel()
    assert (np.diff(z) >= 0).all()
    assert z.max() > 2.99


def test_a_code_for_unknown_in_many_rows_is_no_gross_error():
    x = np.append(np.linspace(1, 2, 800), np.full(200, -1e6))
    assert fitted(x[:, None], n_bins=0).transform([[-1e6]]) == -3


def test_constant_and_binary_features():
    X = np.array([[7, 0, 5, 1], [7, 1, 9, 1], [7, 1, 9, np.nan], [7, 0, 5, np.nan]])
    encoder = fitted(X)
    assert encoder.is_binary_.all()
    expected = [[0, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 1, 1, 0, 0.25], [0, 0, 0, 0, 0.25]]
    assert_array_equal(encoder.transform(X), expected)
    # What did not occur in fit is bounded.
    assert_array_equal(encoder.transform([[99, -99, 1e9, 1]]), [[3, -3, 0.5, 0, 0]])


@pytest.mark.parametrize(("large", "limit"), [(np.inf, 3), (-np.inf, -3), (1e200, 3)])
def test_a_large_value_among_tiny_ones_does_not_overflow(large, limit):
    X = np.array([[2e-200], [large], [1e-200]])
    assert_array_equal(NumericalEncoder().fit_transform(X)[1], [limit])


@pytest.mark.parametrize("hole", [np.nan, 1e9, -np.inf])
def test_what_is_missing_is_imputed_by_the_nearest_rows(hole):
    X = table()
    X[:, 3] = np.nan
    holes = X.copy()
    holes[::17, 1] = hole
    encoder = fitted(holes, n_bins=4)
    is_missing = [False, np.isnan(hole), False, True]
    assert_array_equal(encoder.has_missing_, is_missing)
    result = encoder.transform(holes)
    assert_array_equal(result[:, -sum(is_missing) :], 0.25 * np.isnan(holes[:, is_missing]))
    others = encoder.transform(X)[:, :4]
    others[::17, 1], others[:, 3] = np.nan, np.nan
    imputer = KNNImputer(keep_empty_features=True).fit(others)
    assert_allclose(result[:, :4], imputer.transform(others), atol=1e-6)


def test_the_present_values_determine_scale_and_encoding():
    X = table()[:, [1]]
    holes = X.copy()
    holes[::17] = np.nan
    present = np.delete(X, np.s_[::17], axis=0)
    expected = fitted(present, n_bins=4).transform(present)
    assert_array_equal(fitted(holes, n_bins=4).transform(present)[:, :5], expected)


def test_imputation_finds_what_other_features_tell():
    rng = np.random.RandomState(0)
    X = rng.randn(3000, 1) + 0.1 * rng.randn(3000, 3)
    holes = np.where(rng.rand(*X.shape) < 0.2, np.nan, X)
    encoder = fitted(holes, n_bins=0)
    missing = np.isnan(holes) & ~np.isnan(holes).all(axis=1, keepdims=True)
    difference = encoder.transform(holes)[:, :3] - encoder.transform(X)[:, :3]
    assert np.sqrt(np.mean(difference[missing] ** 2)) < 0.3  # the median would be 0.9 off
    assert 1000 < len(encoder.imputer_._fit_X) <= 2000


def test_encoding_is_the_position_among_the_quantiles():
    x = table()[:, 2]
    n_bins = 6
    encoder = fitted(x[:, None], n_bins=n_bins)
    z, encoding = np.split(encoder.transform(x[:, None]), [1], axis=1)
    assert encoding.shape == (len(x), n_bins)
    assert encoding.min() == -0.25
    assert encoding.max() == 0.25
    # Each entry is the share of its interval that lies below z, so their sum counts intervals.
    counted = (2 * encoding + 0.5).sum(axis=1)
    assert_allclose(
        counted, np.interp(z.ravel(), encoder.edges_[0], np.arange(n_bins + 1)), atol=1e-4
    )
    # Intervals have equally many rows.
    counts = np.histogram(x, np.quantile(x, np.linspace(0, 1, n_bins + 1)))[0]
    assert_allclose(np.histogram(counted, np.arange(n_bins + 1))[0], counts, atol=2)


@pytest.mark.parametrize(
    ("n", "n_features", "n_bins"),
    [(99, 1, 0), (100, 1, 4), (249, 1, 9), (2000, 1, 24), (249, 2, 4), (399, 4, 0)],
)
def test_auto_is_a_bin_for_25_rows_per_feature(n, n_features, n_bins):
    rng = np.random.RandomState(0)
    X = np.hstack([rng.randn(n, n_features), rng.randint(0, 2, (n, 3))])
    expected = [n_bins] * n_features + [0] * 3
    for given in (X, np.repeat(X, 3, axis=0), np.hstack([X, X])):
        edges = fitted(given).edges_[: X.shape[1]]
        assert [max(0, len(e) - 1) for e in edges] == expected


def clusters(n=1500):
    """Return points of 40 overlapping clusters in 4 dimensions, and of 5 classes."""
    rng = np.random.RandomState(0)
    centers, cluster = rng.randn(40, 4), rng.randint(0, 40, n)
    return centers[cluster] + 0.25 * rng.randn(n, 4), cluster % 5


def checkerboard(n=4000, n_fields=8):
    """Return points of a square, and the color of their field."""
    X = np.random.RandomState(0).rand(n, 2)
    return X, np.floor(n_fields * X).sum(axis=1) % 2


def is_encoded(X, y, **parameters):
    encoder = fitted(X, y=y, **parameters)
    return encoder.transform(X).shape[1] > X.shape[1]


def test_auto_encodes_unless_features_act_together_and_the_network_learns_without():
    X, y = clusters()
    assert is_encoded(X, None)
    assert is_encoded(X, np.floor(8 * X[:, 0]) % 2)
    assert not is_encoded(X, y)
    assert is_encoded(X, y, n_bins=5)


@pytest.mark.parametrize("n_fields", [4, 8, 12])
def test_auto_encodes_where_features_act_together_and_only_the_encoding_shows_it(n_fields):
    assert is_encoded(*checkerboard(n_fields=n_fields))


def test_the_order_of_the_rows_does_not_matter():
    X, y = clusters(25_000)
    rows = np.array([np.flatnonzero((y > 1) == label)[:10_000] for label in (False, True)])
    shuffled = np.random.RandomState(0).permutation(rows.ravel())
    expected = fitted(X[shuffled])
    for order in (rows.ravel(), rows.T.ravel(), shuffled):  # one class after the other, in turns
        assert not is_encoded(X[order], y[order] > 1)
        for edges, others in zip(fitted(X[order]).edges_, expected.edges_, strict=True):
            assert_array_equal(edges, others)


def test_donors_come_from_all_rows_of_a_periodic_table():
    t = np.random.RandomState(0).rand(8000)
    t[1::2] += 9  # rows of one kind and of another one take turns
    X = np.column_stack([t, t])
    X[40:60, 1] = np.nan
    Z = fitted(X, n_bins=0).transform(X)
    assert_allclose(Z[40:60, 1], Z[40:60, 0], atol=0.05)


@pytest.mark.parametrize(
    "convert",
    [
        lambda y: y.astype(str),
        lambda y: y.astype(float),
        lambda y: y[:, None],
        lambda y: y.tolist(),
        lambda y: np.eye(5, dtype=int)[y],
        lambda y: csr_array(np.eye(5, dtype=int)[y]),
        lambda y: coo_array(np.eye(5, dtype=int)[y]),
    ],
    ids=["strings", "floats", "a column", "a list", "indicators", "CSR", "COO"],
)
def test_class_labels_of_any_kind_decide(convert):
    X, y = clusters()
    encoder = NumericalEncoder().fit(X, convert(y))
    assert encoder.transform(X).shape[1] == 4
    weighted = NumericalEncoder().fit(X, convert(y), sample_weight=np.full(len(y), 3))
    assert_array_equal(weighted.transform(X), encoder.transform(X))


def with_first(y, value, dtype=object):
    return np.array([value, *y[1:]], dtype)


@pytest.mark.parametrize(
    "convert",
    [
        lambda y: np.zeros_like(y),
        lambda y: with_first(y, np.nan, float),
        lambda y: with_first(y, np.inf, float),
        lambda y: with_first(y, None),
        lambda y: with_first(y, pytest.importorskip("pandas").NA),
        lambda y: pytest.importorskip("pandas").Series(y > 2, dtype="boolean").shift(),
        lambda y: with_first(y, "word"),
        lambda y: csr_array(np.eye(5)[y] / 2),
        lambda y: [[0], *([1, 2] for _ in y[1:])],
    ],
    ids=[
        "a single class",
        "NaN",
        "infinity",
        "None",
        "NA",
        "nullable",
        "words and numbers",
        "sparse numbers",
        "ragged",
    ],
)
def test_what_is_neither_class_labels_nor_numbers_is_ignored(convert):
    X, y = clusters()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_array_equal(fitted(X, y=convert(y)).transform(X), fitted(X).transform(X))


@pytest.mark.parametrize("convert", [np.asarray, list, lambda y: np.stack([y, -y], axis=1)])
def test_numbers_decide_by_what_a_network_learns_from_each(convert):
    X = np.random.RandomState(0).uniform(-1, 1, (1000, 4))
    assert is_encoded(X, convert(np.sin(20 * X[:, 0]) + np.sin(20 * X[:, 1])))
    assert not is_encoded(X, convert(np.linalg.norm(X, axis=1)))


def test_numbers_are_encoded_from_fewer_rows_on_than_classes():
    X = np.random.RandomState(0).uniform(-1, 1, (150, 4))
    y = np.sign(np.sin(9 * X[:, 0])) + np.sign(np.sin(9 * X[:, 1]))
    assert not is_encoded(X, y)  # classes
    assert is_encoded(X, y + 1e-6 * X[:, 2])
    counts = np.floor(1e4 * (y + 2))
    assert not is_encoded(X, counts)
    assert is_encoded(X, counts + np.arange(150) // 4)


def test_sparse_after_a_dense_fit_is_refused():
    X = table()
    with pytest.raises(ValueError, match=r"A sparse X is not accepted: .* Pass X.toarray\(\), or"):
        fitted(X).transform(csr_array(X))


def test_few_values_have_fewer_intervals():
    X = np.random.RandomState(0).randint(0, 4, (1000, 1))
    assert len(fitted(X, n_bins=10).edges_[0]) == 4
    assert len(fitted(np.minimum(X, 1), n_bins=10).edges_[0]) == 0


def test_a_weight_of_k_is_k_rows():
    X = table(300)
    X[::11, 0] = np.nan
    weight = np.random.RandomState(1).randint(0, 4, 300)
    for n_bins in ("auto", 5):
        weighted = NumericalEncoder(n_bins).fit(X, sample_weight=weight)
        repeated = fitted(np.repeat(X, weight, axis=0), n_bins=n_bins)
        assert_array_equal(weighted.transform(X), repeated.transform(X))


@pytest.mark.parametrize("container", [csr_array, csc_array, csr_matrix])
def test_sparse_is_as_dense_about_zero(container):
    rng = np.random.RandomState(0)
    X = np.where(rng.rand(500, 6) < 0.3, rng.randn(500, 6), 0)
    X[:, 4], X[:, 5] = X[:, 4] != 0, 0
    dense = fitted(X, n_bins=0)
    assert_array_equal(dense.center_, 0)
    encoder = fitted(container(X))
    result = encoder.transform(container(X))
    assert result.format == "csr"
    assert result.nnz == np.count_nonzero(X)
    assert_allclose(encoder.scale_, dense.scale_)
    assert_array_equal(result.toarray(), dense.transform(X))
    X[0, 0] = np.nan
    assert encoder.transform(container(X)).toarray()[0, 0] == 0


@pytest.mark.parametrize("container", [csr_array, csc_array, csr_matrix, coo_array])
def test_duplicate_entries_of_sparse_data_are_added_up(container):
    rng = np.random.RandomState(0)
    row, column, value = rng.randint(50, size=900), rng.randint(6, size=900), rng.randn(900)
    given = coo_array((value, (row, column)), (50, 6))
    X = container(given)
    if container is csr_array:  # COO adds them up as soon as it is converted
        order = np.argsort(row, kind="stable")
        starts = np.append(0, np.cumsum(np.bincount(row, minlength=50)))
        X = csr_array((value[order], column[order], starts), (50, 6))
        assert not X.has_canonical_format
    summed = csr_array(given.toarray())
    encoder = fitted(summed)
    assert_allclose(encoder.transform(X).toarray(), encoder.transform(summed).toarray())
    assert_allclose(fitted(X).scale_, encoder.scale_)


def statistics(x, weight, n_bins, center=None):
    """Return center, scale, gross errors, whether it is binary and edges of the present values."""
    if center is not None:
        x, weight = x[x != 0], weight[x != 0]
    x, weight = np.clip(x[~np.isnan(x)], -1e300, 1e300), weight[~np.isnan(x)]

    def quantile(values, weight, p):
        return np.quantile(values, p, weights=weight, method="inverted_cdf")

    distinct = np.unique(x if center is None else np.append(x, center))
    if len(distinct) <= 2:
        low, high = distinct[[0, -1]] if len(distinct) else (0, 0)
        center = low if center is None else center
        scale = (low - center) + (high - center) or 1
        return center, scale, 1000 * abs(scale), True, []
    center = quantile(x, weight, 0.5) if center is None else center
    away = np.abs(x - center)
    half, most = quantile(away[away > 0], weight[away > 0], [0.5, 0.9])
    scale, usual = 1.4826 * half, np.abs(x - center) < 1000 * most
    u = quantile(x[usual] - center, weight[usual], np.linspace(0, 1, n_bins + 1)) / scale
    edges = np.unique((u / np.hypot(1, u / 3)).astype(np.float32))
    return center, scale, 1000 * most, False, edges if len(edges) > 2 else []


@pytest.mark.parametrize("block_size", [1, 200, 2**20])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("convert", [np.asarray, csr_array])
def test_the_statistics_of_many_features_are_those_of_each(
    convert, weighted, block_size, monkeypatch
):
    monkeypatch.setattr(robust, "BLOCK_SIZE", block_size)
    rng = np.random.RandomState(0)
    X = np.hstack([table(60), np.round(table(60)), rng.rand(60, 3) < 0.5, np.ones((60, 1))])
    X = np.hstack([X, X * (rng.rand(60, 12) < 0.2), -X, np.where(rng.rand(60, 12) < 0.9, X, 1e9)])
    X[rng.rand(*X.shape) < 0.1] = np.nan
    X[:, 5], X[1:, 7], X[3, 0], X[:, 9] = np.nan, np.nan, np.inf, 0
    weight = rng.randint(0, 4, 60) if weighted else np.ones(60)
    encoder = NumericalEncoder(4).fit(convert(X), sample_weight=weight)
    center = 0.0 if issparse(convert(X)) else None
    for j, x in enumerate(X.T):
        expected = statistics(x[weight > 0], weight[weight > 0], 4, center)
        assert encoder.center_[j] == expected[0]
        assert_allclose(encoder.scale_[j], expected[1], rtol=1e-15)
        assert_allclose(encoder.gross_[j], expected[2], rtol=1e-15)
        assert encoder.is_binary_[j] == expected[3]
        assert_array_equal(encoder.edges_[j], [] if center == 0 else expected[4])


@pytest.mark.parametrize(("n_donors", "rate"), [(3, 0.3), (300, 0.05), (300, 0.95)])
def test_imputation_is_that_of_knnimputer(n_donors, rate):
    rng = np.random.RandomState(0)
    donors, Z = rng.randn(n_donors, 30), rng.randn(200, 30)
    for part in (donors, Z):
        part[rng.rand(*part.shape) < rate] = np.nan
    donors[:, 3], Z[5] = np.nan, np.nan
    imputer = KNNImputer(keep_empty_features=True).fit(donors)
    assert_allclose(impute(imputer, Z), imputer.transform(Z), atol=1e-12)
    complete = np.nan_to_num(Z)
    assert_array_equal(impute(imputer, complete), imputer.transform(complete))


@pytest.mark.parametrize("low", [1e16, -1e16, 2.0**60, 0.0])
def test_binary_features_of_adjacent_floats_are_0_and_1(low):
    X = np.array([[low], [np.nextafter(low, np.inf)]])
    assert_array_equal(NumericalEncoder().fit_transform(X), [[0], [1]])


def test_objects_that_are_numbers_or_missing_are_read():
    pd = pytest.importorskip("pandas")
    expected = fitted([[1.5], [np.nan], [2], [7]]).transform([[1.5], [np.nan], [2], [7]])
    for missing in (pd.NA, None, np.nan):
        X = [[1.5], [missing], ["2"], [7]]
        frame = pd.DataFrame({"a": pd.Series([row[0] for row in X], dtype=object)})
        nullable = frame.assign(a=pd.array([1.5, pd.NA, 2, 7], dtype="Float64"))
        for given in (X, np.array(X, object), frame, nullable):
            assert_array_equal(fitted(given).transform(given), expected)
    assert list(fitted(frame).get_feature_names_out()) == ["a", "a_missing"]
    with pytest.raises(ValueError, match="feature names should match"):
        fitted(frame).transform(frame.rename(columns={"a": "b"}))


DAY = datetime.date(2024, 2, 29)


@pytest.mark.parametrize(
    ("column", "found"),
    [
        (["1", "Oslo", "Rome"], "'Oslo', .* TabularEncoder"),
        (["1", None, "Oslo"], "'Oslo', .* TabularEncoder"),
        ([1, {}, 2], r"\{\}, .* TabularEncoder"),
        ([1, DAY, DAY], r"datetime\.date\(2024, 2, 29\), .* TabularEncoder"),
        ([1, np.timedelta64(3, "s"), 2], r"np\.timedelta64\(3,'s'\), .* TabularEncoder"),
        ([1, np.datetime64("NaT"), 2], r"np\.datetime64\('NaT'.*, .* TabularEncoder"),
        (np.array(["2024-02-29", "NaT", "NaT"], "M8[ms]"), "dates or durations.* TabularEncoder"),
        (np.array([5, "NaT", 7], "m8[ms]"), "dates or durations.* TabularEncoder"),
    ],
)
@pytest.mark.parametrize("library", ["pandas", "polars", "numpy"])
def test_what_is_no_number_is_refused_and_named_by_encoder_and_classifier_alike(
    column, found, library
):
    column, place = np.asarray(column, getattr(column, "dtype", object)), "column 'where'"
    if library == "numpy":
        X, place = column[:, None], "column 0" if column.dtype == object else "of dtype"
    elif library == "pandas":
        X = pytest.importorskip("pandas").DataFrame({"size": [1.0, 2.0, 3.0], "where": column})
    else:
        pl = pytest.importorskip("polars")
        is_mixed = column.dtype == object and not isinstance(column[2], str)
        series = pl.Series(column.tolist(), dtype=pl.Object) if is_mixed else pl.Series(column)
        X = pl.DataFrame({"size": [1.0, 2.0, 3.0], "where": series})
    numbers = np.eye(3)[:, : X.shape[1]]
    calls = {
        "fit": lambda: fitted(X),
        "transform": lambda: fitted(numbers).transform(X),
        "classifier": lambda: NumpyMLPClassifier().fit(X, [0, 1, 1]),
    }
    messages = set()
    for call in calls.values():
        # float() raises a TypeError for a dict
        with pytest.raises(TypeError if {} in column.tolist() else ValueError) as caught:
            call()
        messages.add(str(caught.value))
    assert len(messages) == 1
    assert re.search(f"^X has {found}", *messages)
    assert place in messages.pop()


@pytest.mark.parametrize("make", [NumericalEncoder, NumpyMLPClassifier])
def test_masked_values_are_refused(make):
    X = np.ma.array(np.eye(4), mask=np.eye(4) > 0)
    with pytest.raises(ValueError, match=r"masked values.*filled\(np\.nan\)"):
        make().fit(X, [0, 1, 0, 1])
    assert_array_equal(fitted(X.astype(float).filled(np.nan)).has_missing_, True)


@pytest.mark.parametrize("X", [[[1, 2], [3]], [[1, [2]], [3, 4]]])
@pytest.mark.parametrize("make", [NumericalEncoder, NumpyMLPClassifier])
def test_ragged_lists_are_called_x(make, X):
    with pytest.raises((TypeError, ValueError), match=r"^X (is not accepted|has)"):
        make().fit(X, [0, 1])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frames_keep_their_names(library):
    frames = pytest.importorskip(library)
    X = table(400)
    X[3, 1] = np.nan
    frame = frames.DataFrame(dict(zip("abcd", X.T, strict=True)))
    encoder = NumericalEncoder(n_bins=2).set_output(transform=library)
    result = encoder.fit_transform(frame)
    names = ["a", "b", "c", "d", "a_bin1", "a_bin2", "b_bin1", "b_bin2", "c_bin1", "c_bin2"]
    assert list(result.columns) == [*names, "b_missing"]
    assert_array_equal(result.to_numpy(), NumericalEncoder(n_bins=2).fit_transform(X))


def test_what_is_transformed_is_not_changed():
    for X in (table(), table().astype(np.float32), csr_array(table())):
        before = X.copy()
        fitted(X).transform(X)
        assert (before != X).sum() == 0


@pytest.mark.parametrize("n_bins", [-1, 2.0, "many", None])
def test_a_bad_number_of_bins_is_named(n_bins):
    with pytest.raises(ValueError, match=f"n_bins={n_bins!r} is not accepted: use an int >= 0"):
        fitted(table(), n_bins=n_bins)


def test_a_failing_fit_leaves_the_encoder_as_it_was():
    encoder = NumericalEncoder().fit(np.arange(6.0).reshape(3, 2))
    before = dict(vars(encoder))
    with pytest.raises(ValueError):
        encoder.fit(np.arange(9.0).reshape(3, 3), sample_weight=[0, 0, -1])
    assert vars(encoder) == before


def steps(n=800, n_features=30):
    """Return features and labels that depend on narrow ranges of two of them."""
    rng = np.random.RandomState(0)
    X = rng.rand(n, n_features)
    return X, ((np.abs(X[:, 0] - 0.5) < 0.1) ^ (X[:, 1] > 0.8)).astype(int)


def test_thresholds_of_the_labels_are_found_where_rows_are_few():
    X, y = steps()
    encoder = fitted(X, y)
    z = encoder.edges_[0] * encoder.scale_[0] / np.sqrt(1 - (encoder.edges_[0] / 3) ** 2)
    bounds = z + encoder.center_[0]
    assert np.abs(bounds[:, None] - [0.4, 0.6]).min(axis=0).max() < 0.02
    assert max(map(len, encoder.edges_)) <= 8 + 1
    assert not fitted(X)._encoded()
    assert not fitted(X, np.random.RandomState(1).permutation(y))._encoded()


def test_thresholds_do_not_depend_on_the_test_that_they_pass():
    X = np.random.RandomState(0).randn(300, 40)
    y = np.random.RandomState(1).randint(0, 2, 300)  # noise, which trees of all rows would explain
    kept = [
        len(fitted(X[rows], y[rows])._encoded()) for rows in (np.s_[:200], np.s_[100:], np.s_[::2])
    ]
    assert kept == [0, 0, 0]


def test_thresholds_of_numbers_and_of_few_rows_of_a_class():
    X, y = steps()
    numbers = y + 0.1 * np.random.RandomState(0).randn(800)
    wide = np.hstack([X, np.random.RandomState(0).rand(800, 30)])
    assert fitted(wide, numbers)._encoded()
    rare = np.where(np.arange(800) < 2, 2, y)  # too few rows for the folds
    for labels in (rare, np.zeros(800, int), np.column_stack([y, 1 - y])):
        assert not fitted(X, labels)._encoded()
    many = np.hstack([X, np.random.RandomState(0).rand(800, 80)])  # trees would take too long
    assert not fitted(many, y)._encoded()
    assert fitted(*steps(200, 10))._encoded()
    assert not fitted(*steps(199, 10))._encoded()  # the networks would tell too little


def test_thresholds_between_neighbouring_numbers_are_distinct():
    low = np.float32(2.5)
    z = np.repeat([low, np.nextafter(low, np.float32(3)), np.float32(2.9)], 100)[:, None]
    edges = find_tree_edges(z, np.repeat([0, 1, 0], 100), ClassTargets, [0])
    assert np.isfinite(piecewise(z, edges)).all()
