"""A transformer for the numeric columns of a table, to put in front of the network."""

from copy import copy
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.impute import KNNImputer
from sklearn.utils import check_consistent_length, gen_batches
from sklearn.utils.validation import check_is_fitted

from sknumpynet.core.types import Auto, Table
from sknumpynet.data.features import read_features
from sknumpynet.data.rows import check_weight
from sknumpynet.data.split import duplicates, sample
from sknumpynet.data.targets import guess_targets
from sknumpynet.preprocessing.encoding import (
    ENCODED,
    are_trees_of_use,
    auto_bins,
    find_edges,
    find_tree_edges,
    is_of_use,
    may_have_trees,
    no_edges,
    piecewise,
)
from sknumpynet.preprocessing.imputing import BLOCK, fit_imputer, impute
from sknumpynet.preprocessing.robust import Scaling
from sknumpynet.versioning import VersionMixin

# Missing values are imputed from the nearest of at most MOST_DONORS rows.
MOST_DONORS = 2000
# With 'auto' and y, at most MOST_TRIED rows decide whether there is an encoding.
MOST_TRIED = 10_000


class NumericalEncoder(VersionMixin, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Scale numeric features robustly, impute them, and encode them if there are enough rows.

    =====================  =====================================================================
    feature                result
    =====================  =====================================================================
    constant               0
    two distinct values    0 and 1, so that zeros and ones stay as they are
    any other              z = u / sqrt(1 + (u / 3)^2), with u = (x - median) / scale [1]_
    many rows per feature  z, and its piecewise-linear encoding [2]_; with fewer rows, if `y` shows
                           that it is of use
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

    The encoding has one entry for each interval between quantiles, or between the thresholds of a
    decision tree. It rises from -0.25 to 0.25 within its interval and is constant elsewhere, which
    lets a network learn steep changes of the target within a narrow range of a feature.

    Sparse X stays sparse: 0 takes the place of the median, missing values and gross errors become
    0, and there are neither encodings nor indicators.

    Parameters
    ----------
    n_bins : int or 'auto', default='auto'
        Entries of each feature's encoding, or fewer if quantiles coincide; 0 is no encoding.
        'auto' is the number of distinct rows divided by 25 times the number of distinct features
        with more than two values, but at most 24, and 0 if that is less than 4. If y has class
        labels, it is also 0 if the nearest row and a small network of the scaled features both
        err less than half as often as a linear model of the encoding: features then act together,
        in a way that the network learns without the encoding. If y has numbers, 4 takes the place
        of 25, and it is also 0 unless the variance that a small network does not explain is at
        least 6 % smaller with the encoding. Where the numbers of rows and features would give 0,
        the intervals are instead the at most 8 leaves of a decision tree of `y` for each feature,
        if the loss of a small network is at least 6 % smaller with them over three folds. Whole
        numbers with at most 30 distinct values are class labels.

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

    __module__ = "sknumpynet.preprocessing"  # saved models name it

    center_: NDArray[np.float64]
    scale_: NDArray[np.float64]
    gross_: NDArray[np.float64]
    is_binary_: NDArray[np.bool]
    has_missing_: NDArray[np.bool]
    edges_: list[NDArray[np.float32]]
    imputer_: KNNImputer | None
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]

    def __init__(self, n_bins: int | Auto = "auto") -> None:
        self.n_bins = n_bins

    def fit(
        self, X: Table, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Find the medians, scales and quantiles.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            May have missing (NaN) and infinite values.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Class labels or numbers, by which ``n_bins='auto'`` finds out whether to encode. Not
            needed, and ignored if it is anything else.
        sample_weight : array-like of shape (n_samples,), default=None
            A row of weight k counts as k equal rows.

        Returns
        -------
        self : NumericalEncoder
            The transformer itself, fitted.

        Raises
        ------
        ValueError, TypeError
            If X is not a 2-D array of numbers, or `n_bins` is no int >= 0 and not 'auto'. Strings
            of numbers, None and `pandas.NA` count as numbers, dates and durations do not.
        """
        self._replace_state(vars(copy(self)._fit(X, y, sample_weight)))
        return self

    def _fit(self, X, y, sample_weight):
        is_auto = isinstance(self.n_bins, str) and self.n_bins == "auto"
        if not is_auto and not (isinstance(self.n_bins, Integral) and self.n_bins >= 0):
            raise ValueError(f"n_bins={self.n_bins!r} is not accepted: use an int >= 0 or 'auto'.")
        X = self._read(X, reset=True, accept_sparse="csc")
        weight = check_weight(sample_weight, X.shape[0])
        weight = np.ones(X.shape[0]) if weight is None else weight.ravel()
        if y is not None:
            check_consistent_length(X, y)
        self._fitted_sparse = issparse(X)
        self.edges_, self.imputer_ = no_edges(X.shape[1]), None
        self.has_missing_ = np.zeros(X.shape[1], bool)
        if issparse(X):
            self._scale(X, weight)
        else:
            self._fit_dense(X, y, weight, is_auto)
        return self

    def _fit_dense(self, X, y, weight, is_auto):
        """Scale the features, find out what is missing, and decide how to encode."""
        rows = np.flatnonzero(weight)
        distinct = rows[duplicates(X, rows)[0]]
        donors, kind = sample(distinct, MOST_DONORS), None
        if is_auto:
            features = duplicates(X.T, np.arange(X.shape[1]))[0]
            tried = sample(distinct, MOST_TRIED)
            kind, targets = guess_targets(y, tried)
        scaling, n_bins = self._scale(X, weight), self.n_bins
        self.has_missing_ = np.isnan(X[rows]).any(axis=0)
        self.imputer_ = fit_imputer(scaling, X, distinct, donors)
        if is_auto:
            n_features = np.count_nonzero(~self.is_binary_[features])
            n_bins = auto_bins(len(distinct), n_features, kind)
        self.edges_ = find_edges(X, weight, scaling, n_bins)
        n, many = X.shape[1], np.flatnonzero(~self.is_binary_)
        if kind is not None and self._encoded():
            if not is_of_use(self._encode(X[tried]), n, kind, targets):
                self.edges_ = no_edges(n)
        elif kind is not None and n_bins == 0 and may_have_trees(len(tried), len(many)):
            Z = self._encode(X[tried])[:, :n]
            if are_trees_of_use(Z, targets, kind, many):
                self.edges_ = find_tree_edges(Z, targets, kind, many)

    def _scale(self, X, weight):
        """Find the scaling of the features, and return it."""
        scaling = Scaling.of(X, weight)
        self.center_, self.scale_, self.gross_, self.is_binary_ = scaling
        return scaling

    def transform(self, X: Table) -> Any:
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
        encoder = copy(self)  # a fit in another thread does not change it
        check_is_fitted(encoder)
        X = encoder._read(X)
        if issparse(X) and not encoder._fitted_sparse:
            raise ValueError(
                "A sparse X is not accepted: NumericalEncoder was fitted with a dense X, whose "
                "zeros it moves. Pass X.toarray(), or fit with a sparse X."
            )
        if issparse(X):
            X.data = np.nan_to_num(encoder._scaling().apply(X.data, X.indices))
            return X
        return encoder._encode(X)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
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
        encoder = copy(self)  # a fit in another thread does not change it
        names = OneToOneFeatureMixin.get_feature_names_out(encoder, input_features)
        edges = encoder.edges_
        bins = [f"{names[j]}_bin{k}" for j in encoder._encoded() for k in range(1, len(edges[j]))]
        indicators = [f"{name}_missing" for name in names[encoder.has_missing_]]
        return np.array([*names, *bins, *indicators], dtype=object)

    def _encode(self, X):
        """Return what `transform` returns, for a validated dense X; blocks of rows save memory."""
        scaling = self._scaling()
        result = np.empty((len(X), len(self.get_feature_names_out())), np.float32)
        for block in gen_batches(len(X), BLOCK):
            Z = scaling.apply(X[block])
            if self.imputer_ is not None:
                Z = impute(self.imputer_, Z)
            Z = np.nan_to_num(Z)
            indicators = ENCODED * np.isnan(X[block][:, self.has_missing_])
            columns = Z, piecewise(Z, self.edges_), indicators
            np.concatenate(columns, axis=1, out=result[block], casting="same_kind")
        return result

    def _scaling(self):
        """Return how the features are scaled."""
        return Scaling(self.center_, self.scale_, self.gross_, self.is_binary_)

    def _encoded(self):
        """Return the features that have an encoding."""
        return [j for j, edges in enumerate(self.edges_) if len(edges)]

    def _read(self, X, *, reset=False, accept_sparse="csr"):
        """Return X in float64, without duplicate entries; a sparse one is a copy."""
        options = {"dtype": np.float64, "accept_sparse": accept_sparse, "allow_missing": True}
        values = read_features(self, X, reset=reset, **options)
        if issparse(values):
            values = values.copy()
            values.sum_duplicates()
        return values

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
