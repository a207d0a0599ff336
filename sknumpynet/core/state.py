"""The state of a training: all that changes from step to step."""

from copy import deepcopy
from dataclasses import dataclass, field, fields
from math import inf
from typing import Any

import numpy as np

from sknumpynet.core.arrays import aligned_copy

HISTORY = (
    "phase",
    "epoch",
    "loss",
    "learning_rate",
    "seconds",
    "validation_loss",
    "validation_score",
    "samples_seen",
)
# The phases in which rows are held out; see `sknumpynet.fit.pilot`.
PILOT_RUNS = "pilot", "second pilot"


def restored_stream(saved: dict[str, Any]) -> np.random.RandomState:
    """Return a new RandomState in the state that ``get_state(legacy=False)`` has saved."""
    stream = np.random.RandomState(0)
    stream.set_state(saved)
    return stream


@dataclass
class TrainingState:
    """All that changes in training.

    Parameters
    ----------
    params : ndarray
        The flat parameter vector; it is updated in place.
    rng : RandomState
        The stream for shuffling and dropout.
    optimizer : dict
        The optimizer's state; empty before its first step.
    samples_seen : int
        Samples seen since `params` were initialised.
    n_iter : int
        Epochs of the current call.
    phase : {'pilot', 'second pilot', 'fit', 'partial_fit'}
        What is trained now.
    phase_start, phase_epochs : int
        Samples seen before the phase, and epochs since its start.
    history : dict of lists
        A value for each epoch in each of the columns `HISTORY`.
    rate_factor : float
        What 'adaptive' has multiplied the learning rate by.
    best_monitored, stale_epochs : float, int
        The best monitored value so far, and the epochs since it last improved by ``tol``.
    best_score : float
        The monitored value, negated, of `best`.
    basis : list of ndarray or None
        Shift and components of the `Basis` in which the network is trained, if there is one.
    order : ndarray of int or None
        The order in which the last epoch of this phase took the rows; None is as they are.
    best : dict or None
        ``params`` and ``optimizer`` after the best epoch, if epochs are compared.
    temperature : float
        Of the predicted probabilities; see `core.losses`.
    shift : list of float or None
        What is added to the predictions, if they are quantiles.
    has_learnt : bool
        False if a pilot run ended no better than the class frequencies.
    """

    params: np.ndarray
    rng: np.random.RandomState
    optimizer: dict = field(default_factory=dict)
    samples_seen: int = 0
    n_iter: int = 0
    phase: str = "fit"
    phase_start: int = 0
    phase_epochs: int = 0
    history: dict = field(default_factory=lambda: {column: [] for column in HISTORY})
    rate_factor: float = 1.0
    best_monitored: float = inf
    stale_epochs: int = 0
    best_score: float = -inf
    basis: list | None = None
    order: np.ndarray | None = None
    best: dict | None = None
    temperature: float = 1.0
    shift: list | None = None
    has_learnt: bool = True

    def snapshot(self, weights: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return a copy made of arrays, lists, dicts and plain scalars.

        ``weights`` are those of `weights` or `best` to put in the place of the current ones.
        """
        copied = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "rng"}
        if weights is None:
            copied |= self.weights()
        else:
            copied |= {**weights, "best": None}
        copied["history"] = {column: list(values) for column, values in self.history.items()}
        copied["random_state"] = self.rng.get_state(legacy=False)
        return copied

    @classmethod
    def from_snapshot(cls, snapshot: dict[str, Any]) -> "TrainingState":
        """Return a state as it was when the snapshot was taken; it shares no memory with it."""
        copied = deepcopy(snapshot)
        rng = restored_stream(copied.pop("random_state"))
        copied["params"] = aligned_copy(copied["params"])
        return cls(rng=rng, **copied)

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Become what it was when the snapshot was taken."""
        vars(self).update(vars(self.from_snapshot(snapshot)))

    def weights(self, with_optimizer: bool = True) -> dict[str, Any]:
        """Return copies of what an optimizer's step changes."""
        optimizer = self.optimizer if with_optimizer else {}
        return {
            "params": self.params.copy(),
            "optimizer": {n: v.copy() if np.ndim(v) else v for n, v in optimizer.items()},
        }

    def record(
        self, phase: str, histories: list[dict[str, list[Any]]], measured: list[tuple[float, float]]
    ) -> None:
        """Append the epochs of several networks that were trained side by side.

        Parameters
        ----------
        phase : str
        histories : list of dict
            The history of each.
        measured : list of (float, float)
            Validation loss and score of all together, after each epoch.
        """
        for epoch, (loss, score) in enumerate(measured):
            rows = [{name: values[epoch] for name, values in h.items()} for h in histories]
            row = {**rows[0], "phase": phase, "epoch": len(self.history["epoch"]) + 1}
            row["loss"] = float(np.mean([r["loss"] for r in rows]))
            row["seconds"] = sum(r["seconds"] for r in rows)
            row["validation_loss"], row["validation_score"] = loss, score
            for name, value in row.items():
                self.history[name].append(value)
        self.n_iter += len(measured)

    def start_phase(self, phase: str) -> None:
        """Forget the patience, the best epoch and the lowered learning rate of the last phase."""
        self.phase, self.phase_start, self.phase_epochs = phase, self.samples_seen, 0
        self.rate_factor, self.best_monitored, self.stale_epochs = 1.0, inf, 0
        self.best_score, self.best, self.order = -inf, None, None

    def restore_best(self) -> None:
        """Go back to the best epoch, with the optimizer's state and step count of that time."""
        if self.best is not None:
            np.copyto(self.params, self.best["params"])
            self.optimizer, self.best = self.best["optimizer"], None
