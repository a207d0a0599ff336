"""Weight, mean and deviation of columns of numbers, which can be pooled from parts of the rows."""

from dataclasses import dataclass

import numpy as np

# The median absolute deviation times this is the standard deviation of a normal distribution.
NORMAL = 1.4826
# Gross error: farther from the median than GROSS times the 90 % quantile of the nonzero distances.
GROSS = 1000
# A deviation below this fraction of the largest value is a rounding error.
ROUNDING = 16 * np.finfo(float).eps


@dataclass
class Moments:
    """What is known of columns of numbers.

    Parameters
    ----------
    weight : float
        Sum of the weights of the rows.
    mean, deviation, largest : ndarray of shape (n_columns,)
        Weighted mean, weighted standard deviation, and largest absolute value.
    """

    weight: float
    mean: np.ndarray
    deviation: np.ndarray
    largest: np.ndarray

    @property
    def varies(self):
        """Which columns have a deviation that is more than a rounding error."""
        return self.deviation > ROUNDING * self.largest

    @classmethod
    def of(cls, columns, weight=None):
        """Return the moments of columns (n, n_columns) by the weight of each row, (n,) or None."""
        largest = np.abs(columns).max(axis=0)
        unit = np.where(largest > 0, largest, 1.0)  # squares neither overflow nor vanish
        columns = columns / unit
        mean = np.average(columns, axis=0, weights=weight)
        deviation = np.sqrt(np.average((columns - mean) ** 2, axis=0, weights=weight))
        total = float(len(columns) if weight is None else np.sum(weight))
        return cls(total, mean * unit, deviation * unit, largest)

    @classmethod
    def robust(cls, columns, weight=None):
        """Return moments that gross errors do not distort.

        The median takes the place of the mean, and the median distance from it, of the values that
        differ from it, times 1.4826, that of the deviation. `largest` is without gross errors too.
        """
        moments = cls.of(columns, weight)
        weight = np.ones(len(columns)) if weight is None else weight

        def median(values, weights):
            is_counted = weights > 0
            if not is_counted.any():
                return 0.0
            counted = values[is_counted], 0.5
            return np.quantile(*counted, weights=weights[is_counted], method="inverted_cdf")

        for k, column in enumerate(columns.T):
            moments.mean[k] = median(column, weight)
            distance = np.abs(column - moments.mean[k])
            moments.deviation[k] = NORMAL * median(distance, np.where(distance > 0, weight, 0))
            moments.largest[k] = max(np.abs(moments.mean[k]), moments.deviation[k])
        return moments

    @classmethod
    def pooled(cls, parts):
        """Return the moments of all rows from those of parts of them [1]_.

        References
        ----------
        .. [1] Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing
           Sample Variances", Stanford University, 1979.
        """
        weights = [part.weight for part in parts]
        largest = np.max([part.largest for part in parts], axis=0)
        unit = np.where(largest > 0, largest, 1.0)
        means = np.array([part.mean / unit for part in parts])
        mean = np.average(means, axis=0, weights=weights)
        within = np.array([(part.deviation / unit) ** 2 for part in parts])
        variance = np.average(within + (means - mean) ** 2, axis=0, weights=weights)
        return cls(float(np.sum(weights)), mean * unit, np.sqrt(variance) * unit, largest)
