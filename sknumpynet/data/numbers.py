"""Numbers as targets: the questions of `targets`, answered for a regressor."""

from dataclasses import dataclass, replace
from math import inf, isfinite

import numpy as np
from sklearn.metrics import r2_score
from sklearn.utils import check_array, column_or_1d

from sknumpynet.core.regression import NUMBER_LOSSES
from sknumpynet.data.moments import Moments


@dataclass
class NumberTargets:
    """One number, or several, for each row.

    Parameters
    ----------
    loss : str
        Name of the loss.
    options : dict
        What the loss is made with: its width or its level.
    center, scale : ndarray of shape (n_outputs,)
        The network predicts ``(y - center) / scale``.
    is_1d : bool
        Whether y is of shape (n,). Several quantiles have an output each nevertheless.
    moments : Moments or None
        Of the y that they were made for, if they standardise it.
    """

    loss: str
    options: dict
    center: np.ndarray
    scale: np.ndarray
    is_1d: bool
    moments: Moments | None = None
    constant_loss: float = inf

    score_name = "r2"
    are_classes = False
    constant_prediction = "a constant"

    @staticmethod
    @np.errstate(all="ignore")  # infinities of both signs are added up
    def read(y, name="y"):
        """Return y as finite float64 of shape (n,) or (n, n_outputs).

        Raises
        ------
        ValueError
            If it is not.
        """
        if y is None:
            raise ValueError(
                f"Expected array-like (array or non-string sequence), got None as {name}."
            )
        dtype, is_masked = np.asarray(y).dtype, np.ma.is_masked(y)
        if is_masked or dtype.kind in "mM":
            what = "masked" if is_masked else dtype
            raise ValueError(
                f"{name} has values that are {what}: replace them by numbers, or leave them out."
            )
        if dtype.kind in "OUS":
            try:
                y = np.asarray(y, dtype=np.float64)
            except (TypeError, ValueError, OverflowError) as error:
                raise ValueError(
                    f"{name} is no array of numbers: {str(error).rstrip('.')}. For class labels "
                    "use NumpyMLPClassifier."
                ) from error
        y = check_array(y, ensure_2d=False, dtype=np.float64, input_name=name, allow_nd=True)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if y.ndim > 2:
            raise ValueError(
                f"{name} of shape {y.shape} is not accepted: it must be (n_samples,) or "
                "(n_samples, n_outputs)."
            )
        return y

    @classmethod
    @np.errstate(all="ignore")  # the loss of numbers that are too large
    def of(cls, y, weight, loss, options, *, standardised):
        """Return the targets for y.

        Parameters
        ----------
        y : ndarray
            As `read` returns it.
        weight : ndarray of shape (n, 1) or None
        loss, options
            As of the class.
        standardised : bool
            Whether the network predicts standardised numbers, or y itself.

        Raises
        ------
        ValueError
            If y does not suit the loss.
        """
        columns = y.reshape(len(y), -1)
        if weight is not None:
            is_counted = weight[:, 0] > 0
            columns, weight = columns[is_counted], weight[is_counted, 0]
        n_levels = len(levels_of(options))
        if n_levels > 1 and y.ndim > 1:
            raise ValueError(
                f"y of shape {y.shape} is not accepted with several levels of quantile: it must be "
                "of shape (n_samples,)."
            )
        n_outputs = columns.shape[1] * n_levels  # each level has one
        center, scale, moments = np.zeros(n_outputs), np.ones(n_outputs), None
        if standardised:
            is_robust = NUMBER_LOSSES[loss].is_robust
            moments = (Moments.robust if is_robust else Moments.of)(columns, weight)
            center, scale = center_and_scale(moments, loss, n_levels)
        targets = cls(loss, options, center, scale, y.ndim == 1, moments)
        encoded = targets.encode(columns)
        if loss == "poisson" and columns.sum() == 0:
            raise ValueError(
                "The sum of y is 0, out of the valid range of the loss 'poisson': it must be > 0."
            )
        losses = targets.constant_losses(encoded, weight, encoded)
        targets.constant_loss = float(np.average(losses, weights=weight))
        if not isfinite(targets.constant_loss):
            raise ValueError(
                f"y holds {columns.flat[np.abs(columns).argmax()]}, too large for loss={loss!r}: "
                "divide y by a number, or leave gross errors out."
            )
        return targets

    @classmethod
    def of_fitted(cls, attributes):
        """Return the targets that a dict of fitted attributes describes."""
        saved = attributes["_resume"]
        center, scale = attributes["target_center_"], attributes["target_scale_"]
        return cls(saved["loss"], saved["options"], center, scale, saved["is_1d"])

    @classmethod
    def union(cls, all_targets):
        """Return the targets of all rows from those of parts of them."""
        first = all_targets[0]
        if first.moments is None:
            return first
        moments = Moments.pooled([targets.moments for targets in all_targets])
        center, scale = center_and_scale(moments, first.loss, len(levels_of(first.options)))
        return replace(first, center=center, scale=scale, moments=moments)

    @classmethod
    def together(cls, before, after):
        """Return the targets of networks that were trained side by side: they are the same."""
        return after[0]

    @property
    def announced(self):
        """What a network has to be told before it is trained on a part of y."""
        return self

    @property
    def example(self):
        """A y that has these targets."""
        return np.empty(0) if self.is_1d else np.empty((0, self.n_outputs))

    @property
    def n_outputs(self):
        return len(self.center)

    def attributes(self):
        """Return the fitted attributes that say what y is."""
        return {
            "n_outputs_": self.n_outputs,
            "out_activation_": NUMBER_LOSSES[self.loss].out_activation,
            "target_center_": self.center,
            "target_scale_": self.scale,
            "_resume": {"loss": self.loss, "options": self.options, "is_1d": self.is_1d},
        }

    def identity(self):
        """Return what has to be the same when training goes on, besides the encoded y."""
        return {"loss": self.loss, **self.options}

    def fits(self, y):
        """Tell whether y has the same shape for each row."""
        return y.ndim == 1 if self.is_1d else y.shape[1:] == (self.n_outputs,)

    def check_continues(self, y, classes, complete):
        """Raise if a network with these targets cannot be trained further on y."""
        if not self.fits(y):
            raise ValueError(
                f"y of shape {y.shape} does not match the network of {self.n_outputs} outputs: "
                "start a new estimator."
            )

    def encode(self, y, name="y"):
        """Return y as the loss sees it, (n, n_outputs)."""
        if self.loss == "poisson" and y.min() < 0:
            raise ValueError(
                f"Some value(s) of {name} are out of the valid range of the loss 'poisson': "
                f"{name} holds {y.min()}, and must be >= 0."
            )
        return (y.reshape(len(y), -1) - self.center) / self.scale

    @np.errstate(over="ignore")  # of predictions beyond float64, which are infinite
    def decode(self, predicted):
        """Return what the network predicts in the units of y: in float64, if these differ.

        Several quantiles are sorted, so that they do not cross [1]_.

        References
        ----------
        .. [1] Chernozhukov, Fernández-Val and Galichon, "Quantile and Probability Curves Without
           Crossing", Econometrica 78, 2010.
        """
        if self.center.any() or (self.scale != 1).any():
            predicted = predicted * self.scale + self.center
        if len(levels_of(self.options)) > 1:
            return np.sort(predicted, axis=1)
        return predicted.ravel() if self.is_1d else predicted

    @property
    def calibration(self):
        """What is found out on rows that were not trained on: the shift of quantiles, or None."""
        return "shift" if self.loss == "quantile" else None

    def make_loss(self, settings, temperature=1.0):
        """Return the loss of the network."""
        return NUMBER_LOSSES[self.loss](**self.options)

    def strata(self, encoded):
        """Return None: there are no classes."""

    def count(self, encoded, weight, *, anew):
        """Return the targets themselves: numbers have no classes to count."""
        return self

    def weigh(self, encoded, weight, class_weight, name="sample_weight"):
        """Return the sample weights, (n, 1) or None; rows without a weight become harmless."""
        if weight is not None:
            encoded[weight[:, 0] == 0] = 0  # an infinite loss times 0 would be NaN
        return weight

    def score(self, loss, outputs, encoded, weight=None):
        """Return the coefficient of determination, which does not depend on the units of y.

        For quantiles it is that of the pinball loss: the fraction of the loss of the best constant
        that is explained.
        """
        predicted = loss.predict(outputs.astype(np.float64))
        if len(predicted) < 2 or not np.isfinite(predicted).all():
            return np.nan
        if self.loss == "quantile":
            constant = self.constant_losses(encoded, weight, encoded)
            explained = [
                np.average(losses, weights=weight)
                for losses in (loss.losses(predicted, encoded), constant)
            ]
            return float(1 - explained[0] / explained[1]) if explained[1] > 0 else 0.0
        return float(r2_score(encoded, predicted, sample_weight=weight))

    def constant_losses(self, encoded, weight, held_out):
        """Return the loss of each held-out row for the best constant of other rows, (n,).

        Parameters
        ----------
        encoded, held_out : ndarray of shape (n, n_outputs)
            The other rows' y as the loss sees it, and that of those held out.
        weight : ndarray of shape (n,) or (n, 1), or None
            Weights of the other rows.
        """
        loss = self.make_loss({})
        best = loss.best_constant(encoded, None if weight is None else weight.ravel())
        return loss.losses(np.broadcast_to(best, held_out.shape).copy(), held_out)

    def chance(self):
        """Return the loss of the best constant on all that was trained on."""
        return self.constant_loss


def levels_of(options):
    """Return the levels of the quantiles, (n_levels,); without them that of the median."""
    return np.ravel(options.get("level", 0.5))


def center_and_scale(moments, loss, n_levels):
    """Return what is subtracted from each column of y, and what it is divided by.

    That is its mean and its standard deviation, or its median and the median deviation. The mean of
    'poisson' must stay positive, so that it is only divided by the mean. A column that does not
    vary is not divided. All levels of a quantile have the same.
    """
    center, scale = moments.mean, np.where(moments.varies, moments.deviation, 1.0)
    if loss == "poisson":
        center, scale = np.zeros_like(center), np.where(center > 0, center, 1.0)
    return np.repeat(center, n_levels), np.repeat(scale, n_levels)
