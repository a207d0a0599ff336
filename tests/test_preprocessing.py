"""The encoder: what its result is by definition, and what it must not depend on."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csc_array, csr_array, csr_matrix
from scipy.stats import norm
from sklearn.impute import KNNImputer

from sknumpynet import NumericalEncoder

UNENCODED = NumericalEncoder(n_bins=0)


def table(n=900):
    """Return an even, a normal, a lognormal and a mostly zero feature."""
    rng = np.random.RandomState(0)
    zeros = np.where(rng.rand(n) < 0.7, 0, rng.lognormal(size=n))
    return np.column_stack([rng.rand(n), 5 * rng.randn(n) - 3, rng.lognormal(0, 1.5, n), zeros])


def fitted(X, **parameters):
    return NumericalEncoder(**parameters).fit(X)


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


def near_and_apart(n=1000):
    """Return points of the plane, classes that clusters of them have, and those of one feature."""
    rng = np.random.RandomState(0)
    centers, cluster = rng.rand(60, 2), rng.randint(0, 60, n)
    X = centers[cluster] + 0.002 * rng.randn(n, 2)
    return X, cluster % 5, np.floor(8 * X[:, 0]) % 2


def test_auto_encodes_unless_neighbours_predict_much_better():
    X, of_the_cluster, of_a_feature = near_and_apart()
    auto = NumericalEncoder()
    assert auto.fit(X).transform(X).shape == (1000, 42)
    assert auto.fit(X, of_a_feature).transform(X).shape == (1000, 42)
    assert auto.fit(X, of_the_cluster).transform(X).shape == (1000, 2)
    assert NumericalEncoder(5).fit(X, of_the_cluster).transform(X).shape == (1000, 12)


@pytest.mark.parametrize(
    ("convert", "n_features"),
    [
        (lambda y: y.astype(str), 2),
        (lambda y: y[:, None], 2),
        (lambda y: np.eye(5, dtype=int)[y], 2),
        (lambda y: y + 0.5, 42),
        (lambda y: np.zeros_like(y), 42),
    ],
    ids=["strings", "a column", "indicators", "no classes", "a single class"],
)
def test_labels_of_any_kind_decide_and_others_do_not(convert, n_features):
    X, y, _ = near_and_apart()
    encoder = NumericalEncoder().fit(X, convert(y))
    assert encoder.transform(X).shape[1] == n_features
    weighted = NumericalEncoder().fit(X, convert(y), sample_weight=np.full(len(y), 3))
    assert_array_equal(weighted.transform(X), encoder.transform(X))


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
