"""The settings of a training, and its state: all that changes from step to step."""

from copy import deepcopy
from dataclasses import dataclass, field, fields
from math import inf

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
# The phases in which rows are held out; see `sknumpynet.pilot`.
PILOT_RUNS = "pilot", "second pilot"


@dataclass(frozen=True)
class TrainingConfig:
    """A value for every hyper-parameter of a training; see `NumpyMLPClassifier`.

    ``hidden_layer_sizes`` and ``dropout`` have an entry for each hidden layer, ``max_iter`` is
    the largest number of epochs, ``pilot_epochs`` those of its pilot run or 0, and ``dtype`` is
    'float32' or 'float64'.
    """

    hidden_layer_sizes: tuple
    activation: str
    solver: str
    alpha: float
    batch_size: int
    learning_rate: str
    learning_rate_init: float
    power_t: float
    max_iter: int
    pilot_epochs: int
    shuffle: bool
    tol: float
    momentum: float
    nesterovs_momentum: bool
    early_stopping: bool
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    n_iter_no_change: float
    max_fun: int
    dropout: tuple
    label_smoothing: float
    input_lr_multiplier: float
    weight_decay: float
    dtype: str

    @classmethod
    def from_values(cls, values):
        """Return the settings from a dict, such as one that was stored as JSON."""
        casts = cls.__annotations__
        return cls(**{name: cast(values[name]) for name, cast in casts.items()})


def restored_stream(saved):
    """Return a RandomState of its own, as ``get_state(legacy=False)`` has saved it."""
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
        Center and components of the `Basis` in which the network is trained, if there is one.
    order : ndarray of int or None
        The order in which the last epoch of this phase took the rows; None is as they are.
    best : dict or None
        ``params`` and ``optimizer`` after the best epoch, if epochs are compared.
    temperature : float
        Of the predicted probabilities; see `core.losses`.
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
    has_learnt: bool = True

    def snapshot(self, weights=None):
        """Return a copy made of arrays, lists, dicts and plain scalars.

        ``weights`` are those of `weights` or `best` to put in the place of the current ones.
        """
        copied = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "rng"}
        copied |= self.weights() if weights is None else {**weights, "best": None}
        copied["history"] = {column: list(values) for column, values in self.history.items()}
        copied["random_state"] = self.rng.get_state(legacy=False)
        return copied

    @classmethod
    def from_snapshot(cls, snapshot):
        """Return a state of its own memory, as it was when the snapshot was taken."""
        copied = deepcopy(snapshot)
        rng = restored_stream(copied.pop("random_state"))
        copied["params"] = aligned_copy(copied["params"])
        return cls(rng=rng, **copied)

    def restore(self, snapshot):
        """Become what it was when the snapshot was taken."""
        vars(self).update(vars(self.from_snapshot(snapshot)))

    def weights(self, with_optimizer=True):
        """Return copies of what an optimizer's step changes."""
        optimizer = self.optimizer if with_optimizer else {}
        return {
            "params": self.params.copy(),
            "optimizer": {n: v.copy() if np.ndim(v) else v for n, v in optimizer.items()},
        }

    def record(self, phase, histories, measured):
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

    def start_phase(self, phase):
        """Forget the patience, the best epoch and the lowered learning rate of the last phase."""
        self.phase, self.phase_start, self.phase_epochs = phase, self.samples_seen, 0
        self.rate_factor, self.best_monitored, self.stale_epochs = 1.0, inf, 0
        self.best_score, self.best, self.order = -inf, None, None

    def restore_best(self):
        """Go back to the best epoch, with the optimizer's state and step count of that time."""
        if self.best is not None:
            np.copyto(self.params, self.best["params"])
            self.optimizer, self.best = self.best["optimizer"], None
