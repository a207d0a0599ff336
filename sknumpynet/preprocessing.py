"""A transformer for the numeric columns of a table, to put in front of the network."""

from copy import copy
from math import ceil
from numbers import Integral

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.impute import KNNImputer
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils import check_consistent_length, gen_batches
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from sknumpynet.reading import nullable_to_numpy, refuse_dask
from sknumpynet.robust import HUGE, LIMIT, clipped, describe, divided, present, quantiles
from sknumpynet.saving import VersionMixin
from sknumpynet.validation import duplicates

# Rows that are transformed at a time.
BLOCK = 4096
# Missing values are imputed from the nearest of at most so many rows.
MOST_DONORS = 2000
# n_bins='auto' is one for so many distinct rows per feature; at most and at least so many bins.
ROWS_PER_BIN, MOST_BINS, FEWEST_BINS = 25, 24, 4
# With 'auto' and y there is no encoding if the nearest row errs less often than this fraction of
# the errors of a linear model of the encoding; both are tried on at most so many rows.
NEAR, MOST_TRIED = 1 / 3, 10_000
# The encoding ranges from -ENCODED to ENCODED, and indicators are 0 or ENCODED. The network learns
# slowly from inputs that are small, so it follows the scaled features first.
ENCODED = 0.25


class NumericalEncoder(VersionMixin, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Scale numeric features robustly, impute them, and encode them if there are enough rows.

    =====================  =====================================================================
    feature                result
    =====================  =====================================================================
    constant               0
    two distinct values    0 and 1, so that zeros and ones stay as they are
    any other              z = u / sqrt(1 + (u / 3)^2), with u = (x - median) / scale [1]_
    many rows per feature  z, and its piecewise-linear encoding [2]_
    with missing values    imputed by `sklearn.impute.KNNImputer`, and an indicator that is 0.25
                           for a missing value and 0 otherwise
    with gross errors      imputed as missing values are
    =====================  =====================================================================

    The scale is 1.4826 times the median of abs(x - median) over the values that are not equal to
    the median; for a normal distribution it is the standard deviation. Neither outliers nor many
    equal values distort it. Values far from the median are clipped smoothly, so that abs(z) < 3.

    Gross errors are infinities, and values that are 1000 times as far from the median as 90 % of
    those that differ from it, such as a rare code for "unknown". The imputer uses at most 2000
    rows of the training data. If nothing was missing there, missing values become 0 later on.

    The encoding has one entry for each interval between quantiles. It rises from -0.25 to 0.25
    within its interval and is constant elsewhere, which lets a network learn steep changes of the
    target within a narrow range of a feature.

    Sparse X stays sparse: 0 takes the place of the median, missing values and gross errors become
    0, and there are neither encodings nor indicators.

    Parameters
    ----------
    n_bins : int or 'auto', default='auto'
        Entries of each feature's encoding, or fewer if quantiles coincide; 0 is no encoding.
        'auto' is the number of distinct rows divided by 25 times the number of distinct features
        with more than two values, but at most 24, and 0 if that is less than 4. It is also 0 if
        the class of the nearest row is a much better prediction than a linear model of the
        encoding makes: features then act together, and single ones say little.

    Attributes
    ----------
    center_, scale_ : ndarray of shape (n_features,)
        What is subtracted from the features, and what they are divided by.
    gross_ : ndarray of shape (n_features,)
        How far from `center_` a gross error is, at least.
    is_binary_ : ndarray of bool of shape (n_features,)
        Which features have at most two distinct values.
    has_missing_ : ndarray of bool of shape (n_features,)
        Which features have an indicator.
    edges_ : list of ndarray
        For each feature the bounds, in z, of the intervals of its encoding; empty without one.
    imputer_ : KNNImputer or None
        Of z; None if nothing was missing.
    n_features_in_ : int
        Features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where X had some that are all strings.

    References
    ----------
    .. [1] Holzmüller et al., "Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular
       Data", NeurIPS 2024.
    .. [2] Gorishniy et al., "On Embeddings for Numerical Features in Tabular Deep Learning",
       NeurIPS 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from sknumpynet import NumericalEncoder
    >>> X = np.array([[1, 0], [2, 1], [3, 1], [np.nan, 0], [12, 1]])
    >>> encoder = NumericalEncoder().fit(X)
    >>> encoder.transform(X).round(2)
    array([[-0.66,  0.  ,  0.  ],
           [ 0.  ,  1.  ,  0.  ],
           [ 0.66,  1.  ,  0.  ],
           [ 0.69,  0.  ,  0.25],
           [ 2.74,  1.  ,  0.  ]], dtype=float32)
    >>> encoder.get_feature_names_out()
    array(['x0', 'x1', 'x0_missing'], dtype=object)
    """

    def __init__(self, n_bins="auto"):
        self.n_bins = n_bins

    def fit(self, X, y=None, sample_weight=None):
        """Find the medians, scales and quantiles.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            May have missing (NaN) and infinite values.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Class labels, by which ``n_bins='auto'`` finds out whether to encode. Not needed, and
            not used if it is anything else.
        sample_weight : array-like of shape (n_samples,), default=None
            A row of weight k counts as k equal rows.

        Returns
        -------
        self : NumericalEncoder
            The transformer itself, fitted.

        Raises
        ------
        ValueError
            If X is not a 2-D array of numbers, or `n_bins` is no int >= 0 and not 'auto'.
        """
        self.__dict__ = vars(copy(self)._fit(X, y, sample_weight))  # a failing call changes nothing
        return self

    def _fit(self, X, y, sample_weight):
        is_auto = isinstance(self.n_bins, str) and self.n_bins == "auto"
        if not is_auto and not (isinstance(self.n_bins, Integral) and self.n_bins >= 0):
            raise ValueError(f"n_bins={self.n_bins!r} is not accepted: use an int >= 0 or 'auto'.")
        X = self._validated(X, reset=True, sparse="csc")
        weight = _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        if y is not None:
            y = np.asarray(nullable_to_numpy(y))
            check_consistent_length(X, y)
        features, center = range(X.shape[1]), 0.0 if issparse(X) else None
        described = zip(*(describe(*present(X, j, weight), center) for j in features), strict=True)
        self.center_, self.scale_, self.gross_, self.is_binary_ = map(np.array, described)
        self.has_missing_ = np.zeros(X.shape[1], bool)
        self.edges_, self.imputer_ = [np.empty(0, np.float32) for _ in features], None
        self._fitted_sparse = issparse(X)
        if not issparse(X):
            rows = np.flatnonzero(weight)
            self.has_missing_ = np.isnan(X[rows]).any(axis=0)
            distinct = rows[duplicates(X, rows)[0]]
            n_bins = self._auto_bins(X, distinct) if is_auto else self.n_bins
            for j in np.flatnonzero(~self.is_binary_) if n_bins > 1 else ():
                self.edges_[j] = self._edges(j, *present(X, j, weight), n_bins)
            blocks = gen_batches(len(distinct), BLOCK)
            if any(np.isnan(self._scaled(X[distinct[b]], self.center_)).any() for b in blocks):
                donors = X[distinct[:: ceil(len(distinct) / MOST_DONORS)]]
                imputer = KNNImputer(keep_empty_features=True)
                self.imputer_ = imputer.fit(self._scaled(donors, self.center_))
            if is_auto and y is not None and self._encoded():
                tried = distinct[:: ceil(len(distinct) / MOST_TRIED)]
                encoded = self._encode(X[tried])
                if is_nearest_better(encoded[:, : X.shape[1]], encoded, y[tried]):
                    self.edges_ = [edges[:0] for edges in self.edges_]
        return self

    def transform(self, X):
        """Return the scaled features, then the encodings, then the indicators.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        X : ndarray or CSR of float32 of shape (n_samples, n_features_out)
            With the columns that `get_feature_names_out` names.

        Raises
        ------
        ValueError
            If X does not have the features that were seen in `fit`, or is sparse after a dense fit.
        """
        check_is_fitted(self)
        X = self._validated(X, reset=False, sparse="csr")
        if issparse(X) and not self._fitted_sparse:
            raise ValueError(
                "A sparse X is not accepted: NumericalEncoder was fitted with a dense X, whose "
                "zeros it moves. Pass X.toarray(), or fit with a sparse X."
            )
        if issparse(X):
            X.data = np.nan_to_num(self._scaled(X.data, 0.0, X.indices))
            return X
        return self._encode(X)

    def get_feature_names_out(self, input_features=None):
        """Return the names of the columns of the result.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the features; None is those seen in `fit`, or x0, x1, ...

        Returns
        -------
        names : ndarray of str objects
            The names, then NAME_bin1, NAME_bin2, ..., then NAME_missing.
        """
        names = super().get_feature_names_out(input_features)
        bins = [
            f"{names[j]}_bin{k}" for j in self._encoded() for k in range(1, len(self.edges_[j]))
        ]
        indicators = [f"{name}_missing" for name in names[self.has_missing_]]
        return np.array([*names, *bins, *indicators], dtype=object)

    def _encode(self, X):
        """Return what `transform` returns, for a validated dense X; blocks of rows save memory."""
        result = np.empty((len(X), len(self.get_feature_names_out())), np.float32)
        for block in gen_batches(len(X), BLOCK):
            Z = self._scaled(X[block], self.center_)
            if self.imputer_ is not None:
                Z = self.imputer_.transform(Z)
            columns = [Z := np.nan_to_num(Z)]
            for j in self._encoded():
                edges = self.edges_[j]
                steps = np.clip((Z[:, [j]] - edges[:-1]) / np.diff(edges), 0, 1)
                columns.append(ENCODED * (2 * steps - 1))
            columns.append(ENCODED * np.isnan(X[block][:, self.has_missing_]))
            np.concatenate(columns, axis=1, out=result[block], casting="same_kind")
        return result

    def _auto_bins(self, X, distinct):
        """Return the number of bins that 'auto' means."""
        n_features = len(duplicates(X.T, np.flatnonzero(~self.is_binary_))[0])
        n_bins = min(MOST_BINS, len(distinct) // (ROWS_PER_BIN * max(1, n_features)))
        return n_bins if n_bins >= FEWEST_BINS else 0

    def _edges(self, feature, x, weight, n_bins):
        """Return the bounds of the intervals of a feature; none if there would be only one."""
        u = x - self.center_[feature]
        usual = np.abs(u) < self.gross_[feature]
        bounds = quantiles(u[usual], weight[usual], np.linspace(0, 1, n_bins + 1))
        edges = np.unique(clipped(divided(bounds, self.scale_[feature])).astype(np.float32))
        return edges if len(edges) > 2 else edges[:0]

    def _scaled(self, X, center, features=np.s_[:]):
        """Return values of these features, scaled and clipped; gross errors become nan."""
        u = np.clip(X, -HUGE, HUGE) - center
        u = divided(np.where(np.abs(u) < self.gross_[features], u, np.nan), self.scale_[features])
        z = np.where(self.is_binary_[features], np.clip(u, -LIMIT, LIMIT), clipped(u))
        return z.astype(np.float32)

    def _encoded(self):
        """Return the features that have an encoding."""
        return [j for j, edges in enumerate(self.edges_) if len(edges)]

    def _validated(self, X, *, reset, sparse):
        options = {"accept_sparse": sparse, "dtype": np.float64, "ensure_all_finite": False}
        X = validate_data(self, refuse_dask(X), reset=reset, **options)
        return X.copy() if issparse(X) else X

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def is_nearest_better(scaled, encoded, y):
    """Tell whether the nearest row's class is a much better prediction than a linear model's.

    Parameters
    ----------
    scaled, encoded : ndarray of shape (n_samples, n_features), (n_samples, n_features_out)
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        If these are no class labels, the result is False.
    """
    y = y[:, 0] if y.shape[1:] == (1,) else y
    if type_of_target(y) not in ("binary", "multiclass", "multilabel-indicator"):
        return False
    train, test = train_test_split(np.arange(len(y)), random_state=0)
    nearest = KNeighborsClassifier(1).fit(scaled[train], y[train])
    linear = RidgeClassifier().fit(encoded[train], y[train])
    errors = 1 - linear.score(encoded[test], y[test])
    return 1 - nearest.score(scaled[test], y[test]) < NEAR * errors
