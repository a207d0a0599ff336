"""Transformers for the columns of a table, to put in front of the network."""

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.preprocessing import PowerTransformer, StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data


class SkewAwareScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Standardise features, the skewed ones after a power transform.

    Counts, amounts and durations have long tails, and standardisation crowds most of their values
    together. Where the skewness is beyond `threshold`, Yeo and Johnson's transform [1]_, as in
    `sklearn.preprocessing.PowerTransformer`, spreads them out. All other features are treated as by
    `sklearn.preprocessing.StandardScaler`.

    Parameters
    ----------
    threshold : float, default=2.0
        The absolute skewness, E[((x - mean) / std)^3], beyond which a feature counts as skewed.

    Attributes
    ----------
    skewed_ : ndarray of bool of shape (n_features,)
        Which features are transformed.
    standard_ : StandardScaler
        Fitted to all features.
    power_ : PowerTransformer or None
        Fitted to the skewed ones; None if there are none.
    n_features_in_ : int
        Features seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where X had some that are all strings.

    References
    ----------
    .. [1] Yeo and Johnson, "A new family of power transformations to improve normality or
       symmetry", Biometrika 87, 2000.

    Examples
    --------
    >>> import numpy as np
    >>> from sknumpynet import SkewAwareScaler
    >>> rng = np.random.RandomState(0)
    >>> X = np.column_stack([rng.normal(size=500), rng.lognormal(size=500)])
    >>> scaler = SkewAwareScaler().fit(X)
    >>> scaler.skewed_
    array([False,  True])
    >>> bool(np.abs(scaler.transform(X)).max() < 4)
    True
    """

    def __init__(self, threshold=2.0):
        self.threshold = threshold

    def fit(self, X, y=None):
        """Find the skewed features, and what standardises all.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : None
            Ignored.

        Returns
        -------
        self : SkewAwareScaler
            The transformer itself, fitted.

        Raises
        ------
        ValueError
            If X is not a finite 2-D array, or `threshold` is no number >= 0.
        """
        if not (isinstance(self.threshold, Real) and self.threshold >= 0):
            raise ValueError(
                f"threshold={self.threshold!r} is not accepted: it must be a number >= 0."
            )
        X = validate_data(self, X, dtype=(np.float64, np.float32))
        standard = StandardScaler().fit(X)
        skewed = np.abs(np.mean(standard.transform(X) ** 3, axis=0)) > self.threshold
        self.power_ = PowerTransformer().fit(X[:, skewed]) if skewed.any() else None
        self.standard_, self.skewed_ = standard, skewed
        return self

    def transform(self, X):
        """Return X scaled, of the same shape, float64 or, where X is that, float32.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        scaled = self.standard_.transform(X)
        if self.power_ is not None:
            scaled[:, self.skewed_] = self.power_.transform(X[:, self.skewed_])
        return scaled
