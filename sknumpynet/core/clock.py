"""The time by which training is measured and limited; tests replace `now`."""

from math import inf
from time import perf_counter as now


class Budget:
    """How long a phase of training may take: a number of samples, and perhaps a deadline.

    Parameters
    ----------
    samples_seen : int
        Samples seen before the phase.
    n_samples : float
        Samples of the phase; inf if there is no end.
    batch_size : int, default=0
        Samples of a step.
    deadline : float, default=inf
        Time, as `now` tells it, at which it has to end.
    """

    def __init__(
        self, samples_seen: int, n_samples: float, batch_size: int = 0, deadline: float = inf
    ) -> None:
        self.first, self.n_samples, self.batch_size = samples_seen, n_samples, batch_size
        self.start, self.deadline = now(), deadline

    def progress(self, samples_seen: int) -> float:
        """Return the fraction, 0 to 1, of the samples that are used up.

        If the time is used up faster, by more than a step, return the fraction of the time. A
        deadline that is far away thus changes nothing.
        """
        by_samples = (samples_seen - self.first) / self.n_samples
        if self.deadline == inf:
            return by_samples
        by_time = (now() - self.start) / max(self.deadline - self.start, 1e-9)
        is_late = by_time > by_samples + self.batch_size / self.n_samples
        return min(by_time, 1.0) if is_late else by_samples

    def is_over(self) -> bool:
        """Tell whether the deadline has passed."""
        return now() >= self.deadline
