"""`Checkpoint`: the state of a fit in files, from which a killed run goes on.

The files are written in `fit.checkpoints`.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sknumpynet.settings.parameters import Row, check_value, integer, none_or, number


@dataclass(frozen=True)
class Checkpoint:
    """Write the state of a fit to files, from which a killed run goes on.

    Give it to the estimator by ``set_callbacks(Checkpoint(path))``. If `fit` is interrupted, even
    by a power failure, run the same program again: `fit` finds the last checkpoint, goes on from
    there, and ends with the same bits as a run that was never interrupted, unless there is a
    `max_time`. A run that is complete is not trained again. The directory belongs to one run: if
    the data, the parameters or the version of the package are not those of the checkpoint, `fit`
    raises an error. A callable `scoring` counts as the same if its code, constants, default values
    and enclosed variables are equal; functions that it calls are not compared.

    Parameters
    ----------
    path : path-like
        Directory of the checkpoints; it is created if need be. A relative path is relative to the
        current directory at this time, not at that of `fit`.
    every_epochs : int or None, default=None
        Write a checkpoint after this many epochs.
    every_seconds : float or None, default=60.0
        Write a checkpoint at the end of an epoch if the last one is this many seconds old. There is
        also one at the end of the pilot run, and of the training.
    keep : int, default=2
        Number of checkpoints to keep: the last ones. If the last one is damaged, `fit` warns and
        goes on from the one before.

    Raises
    ------
    ValueError
        If a value is not accepted.

    Notes
    -----
    If a checkpoint cannot be written, for instance because the disk is full, `fit` warns and
    goes on. Older checkpoints stay.

    ``solver='lbfgs'`` is not supported, because SciPy does not give access to its state. Neither is
    `partial_fit`, between whose calls a model can be saved like any other object.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import load_iris
    >>> from sknumpynet import Checkpoint, NumpyMLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> with TemporaryDirectory() as path:
    ...     model = NumpyMLPClassifier(random_state=0).set_callbacks(Checkpoint(path))
    ...     n_epochs = model.fit(X, y).n_iter_
    ...     n_epochs == model.fit(X, y).n_iter_  # the second call only reads the checkpoint
    True
    """

    path: str | os.PathLike
    every_epochs: int | None = None
    every_seconds: float | None = 60.0
    keep: int = 2

    def __post_init__(self):
        accepted = {
            "path": Row(lambda value: isinstance(value, str | os.PathLike), "a path"),
            "every_epochs": none_or(integer(1)),
            "every_seconds": none_or(number(0, open_low=True)),
            "keep": integer(1),
        }
        for name, row in accepted.items():
            check_value(name, getattr(self, name), row)
        object.__setattr__(self, "path", Path(self.path).absolute())  # the dataclass is frozen

    def setup(self, estimator: Any, context: Any) -> None:
        """Raise if the estimator is another one; scikit-learn calls this before a fit."""
        if not any(c.__module__.startswith("sknumpynet.") for c in type(estimator).__mro__):
            raise TypeError(
                f"{type(estimator).__name__} does not support Checkpoint: set it on the "
                "NumpyMLPClassifier itself."
            )

    def teardown(self, estimator: Any, context: Any) -> None:
        """Do nothing, as on_fit_task_begin and on_fit_task_end of scikit-learn's protocol."""

    on_fit_task_begin = on_fit_task_end = teardown
