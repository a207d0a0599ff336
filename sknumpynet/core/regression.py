"""Losses for numbers: the value and its gradient in one call, and the inverse link.

Legend: ``z`` outputs of the network (n, k), ``y`` targets (n, k), ``w`` row weights, a number
or an array (n, 1); ``r = z - y``.

========================  ===========================================  ==========================
loss of one output        value                                        derivative by z
========================  ===========================================  ==========================
squared error             r^2 / 2                                      r
absolute error            abs(r)                                       sign(r)
Huber [1]_, of width d    r^2 / 2 if abs(r) <= d                       r
                          d (abs(r) - d / 2) otherwise                 d sign(r)
quantile [2]_, level q    (1 - q) r if r > 0, otherwise -q r           1 - q if r > 0, else -q
Poisson deviance / 2      y log(y / m) - y + m, with m = exp(z)        m - y
========================  ===========================================  ==========================

The minimum of the expected loss over z is the mean, the median, something between the two, the
quantile of level q, and the logarithm of the mean. All values are 0 for a perfect fit.

Predicted quantiles are calibrated on rows that were not trained on, by a shift of each output after
which they have the right fraction of the targets below them [3]_.

The loss of a row is the mean over its k outputs, as scikit-learn reports it; that of Poisson is the
sum. The gradient is that of the sum, so that an output is trained as fast as if it were alone.

References
----------
.. [1] Huber, "Robust Estimation of a Location Parameter", Annals of Mathematical Statistics 35,
   1964.
.. [2] Koenker and Bassett, "Regression Quantiles", Econometrica 46, 1978.
.. [3] Romano, Patterson and Candès, "Conformalized Quantile Regression", NeurIPS 2019.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from sknumpynet.core.losses import weighted_sum
from sknumpynet.core.types import Floats


def quantiles(y: Floats, level: float | Floats, w: Floats | None) -> Floats:
    """Return the weighted quantile of each column of y (n, k), of one level or of its own, (k,)."""
    levels = np.broadcast_to(level, y.shape[1])
    columns = zip(y.T, levels, strict=True)
    return np.array([np.quantile(c, q, weights=w, method="inverted_cdf") for c, q in columns])


class NumberLoss:
    """What the losses share; a loss has ``parts(z, y)``, its value and derivative elementwise."""

    out_activation = "identity"
    is_robust = False  # against gross errors in y

    def value_and_grad(self, z: Floats, y: NDArray[Any], w: float | Floats) -> tuple[float, Floats]:
        """Return the loss, and overwrite the outputs `z` with the gradient."""
        value, slope = self.parts(z, y)
        np.multiply(slope, w, out=z)
        return weighted_sum(self.of_row(value), w), z

    def losses(self, z: Floats, y: NDArray[Any]) -> Floats:
        """Return the loss of each row, (n,)."""
        return self.of_row(self.parts(z, y)[0])

    @staticmethod
    def of_row(value: Floats) -> Floats:
        """Return the loss of each row, (n,), of that of each output."""
        return value.mean(axis=1)

    @staticmethod
    def predict(z: Floats) -> Floats:
        """Return the predictions, (n, k)."""
        return z

    def best_constant(self, y: Floats, w: Floats | None = None) -> Floats:
        """Return what to predict without regard to X, (k,), by weights (n,): here the means."""
        return np.average(y, axis=0, weights=w)


class SquaredError(NumberLoss):
    """The mean."""

    def parts(self, z: Floats, y: NDArray[Any]) -> tuple[Floats, Floats]:
        """Return r^2 / 2 and r."""
        r = z - y
        return 0.5 * r * r, r


class AbsoluteError(NumberLoss):
    """The median."""

    is_robust = True

    def parts(self, z: Floats, y: NDArray[Any]) -> tuple[Floats, Floats]:
        """Return abs(r) and its sign."""
        r = z - y
        return np.abs(r), np.sign(r)

    def best_constant(self, y: Floats, w: Floats | None = None) -> Floats:
        """Return the medians, (k,)."""
        return quantiles(y, 0.5, w)


class Huber(NumberLoss):
    """Squared error up to a residual of `width`, absolute error beyond."""

    is_robust = True

    def __init__(self, width: float = 1.0) -> None:
        self.width = float(width)

    def parts(self, z: Floats, y: NDArray[Any]) -> tuple[Floats, Floats]:
        """Return the value, and the residual bounded by the width."""
        r = z - y
        slope = np.clip(r, -self.width, self.width)
        return slope * (r - 0.5 * slope), slope


class Quantile(NumberLoss):
    """The quantile of a level between 0 and 1, or of a level for each output."""

    is_robust = True

    def __init__(self, level: float | Sequence[float] = 0.5) -> None:
        self.level = np.asarray(level, np.float64)

    def parts(self, z: Floats, y: NDArray[Any]) -> tuple[Floats, Floats]:
        """Return the pinball loss and its derivative."""
        r = z - y
        slope = (r > 0) - self.level.astype(r.dtype)
        return slope * r, slope

    def shift(self, z: Floats, y: NDArray[Any], w: Floats | None = None) -> list[float]:
        """Return what, added to each output, has its level of the weights of `y` below it."""
        return self.best_constant(y - z, w).tolist()

    def best_constant(self, y: Floats, w: Floats | None = None) -> Floats:
        """Return the quantiles, (k,)."""
        return quantiles(y, self.level, w)


class PoissonDeviance(NumberLoss):
    """The mean of counts and other numbers >= 0, of which `z` is the logarithm."""

    out_activation = "exp"

    def parts(self, z: Floats, y: NDArray[Any]) -> tuple[Floats, Floats]:
        """Return half the deviance, and m - y."""
        m = np.exp(z)
        return xlogy(y, y) - y * z - y + m, m - y

    @staticmethod
    def of_row(value: Floats) -> Floats:
        """Return the sum over the outputs, (n,)."""
        return value.sum(axis=1)

    @staticmethod
    def predict(z: Floats) -> Floats:
        """Return exp(z), (n, k)."""
        return np.exp(z)

    def best_constant(self, y: Floats, w: Floats | None = None) -> Floats:
        """Return the logarithms of the means, (k,); an output may always be 0."""
        return np.log(np.maximum(super().best_constant(y, w), np.finfo(float).tiny))


NUMBER_LOSSES = {
    "squared_error": SquaredError,
    "absolute_error": AbsoluteError,
    "huber": Huber,
    "quantile": Quantile,
    "poisson": PoissonDeviance,
}
