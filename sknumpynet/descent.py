"""One call of ``fit`` or ``partial_fit``: hyper-parameters become parts, and the parts are run."""

import warnings
from copy import deepcopy
from dataclasses import fields
from itertools import islice
from math import isfinite, nan

import numpy as np
from sklearn.utils import check_random_state

from sknumpynet.activations import ACTIVATIONS
from sknumpynet.batches import Minibatches
from sknumpynet.losses import LOSSES
from sknumpynet.monitor import HeldOut, Monitor, split
from sknumpynet.network import Backprop
from sknumpynet.optimizers import OPTIMIZERS
from sknumpynet.schedules import BUDGETED, SCHEDULES
from sknumpynet.targets import class_masses, weigh_classes
from sknumpynet.training import Rate, epochs, minimize, stepper


class Descent:
    """The parts of one call, on copies of all that must survive its failure.

    Parameters
    ----------
    model : NumpyMLPClassifier
        Initialised. Its parameters and its record change with each good epoch.
    data : Data
    held_out : HeldOut or None
        If None, ``early_stopping`` holds out a part of the data.
    max_iter : int or None
        None for ``partial_fit``, which knows no end.

    Raises
    ------
    ValueError
        If hyper-parameters do not fit each other or the data.
    """

    def __init__(self, model, data, held_out=None, max_iter=None):
        self.model, self.max_iter = model, max_iter
        stream = model._random_state
        stream = check_random_state(model.random_state) if stream is None else deepcopy(stream)
        model._random_state = stream
        rows = None
        if held_out is None and model.early_stopping:
            rows, held = split(data.labels, model.validation_fraction, stream)
            held_out = HeldOut(data.part(held), model.scoring)
        n = data.n if rows is None else len(rows)
        self.rate = self._rate(n)
        self.backprop, self.minibatches = self._assemble(data, rows, n)
        self.monitor = Monitor(model, self.backprop.params, n, self.rate, held_out)

    def run(self, task):
        """Train until something says stop; return what did, or None at the end of max_iter.

        `task` is the `FitTask` to keep informed.
        """
        model, params = self.model, self.backprop.params

        def after(loss, learning_rate=nan):
            reason = self.monitor.after(loss, learning_rate)
            if task.end_epoch(lambda: {**vars(model), "params_": params.copy()}):
                reason = "a callback asked to stop"
            if reason is None and model.n_iter_ < self.max_iter:
                task.begin_epoch()
            return reason

        task.begin_epoch()
        if model.solver == "lbfgs":
            batch = next(self.minibatches.one_pass())
            options = {"maxiter": self.max_iter, "maxfun": model.max_fun, "gtol": model.tol}
            return "done" if minimize(self.backprop, batch, after, options) else None
        passes = islice(self._passes(), self.max_iter)
        return next(filter(None, (after(*result) for result in passes)), None)

    def run_one_pass(self):
        """Train one epoch."""
        self.monitor.after(*next(self._passes()))

    def _passes(self):
        """Yield the loss and the learning rate of one pass after another."""
        model, backprop = self.model, self.backprop
        optimizer, state = self._optimizer()
        step = stepper(optimizer, state, backprop, float(model.weight_decay))
        rng = model._random_state if model.shuffle else None
        for loss, rate in epochs(backprop, self.minibatches, step, self.rate, rng, model.t_):
            # The moments of a pass that went wrong are worth nothing.
            model._solver_state = state if isfinite(loss) else {}
            yield loss, rate
            model._solver_state = {}

    def _optimizer(self):
        """Return the optimizer, and a copy of its memory where that goes on, else a fresh one."""
        model, params = self.model, self.backprop.params
        optimizer_class = OPTIMIZERS[model.solver]
        optimizer = optimizer_class(
            **{f.name: f.type(getattr(model, f.name)) for f in fields(optimizer_class)}
        )
        state = optimizer.start(params)
        if model._solver_state.keys() == state.keys():
            for name, value in model._solver_state.items():
                state[name] = np.array(value, params.dtype) if np.ndim(value) else value
        return optimizer, state

    def _rate(self, n):
        model, name = self.model, self.model.learning_rate
        endless = self.max_iter is None
        adaptive = name == "adaptive"
        if adaptive or (name in BUDGETED and endless):
            name = "constant"
        budget = None if endless else n * self.max_iter
        factor = SCHEDULES[name](float(model.power_t), model.t_, budget)
        return Rate(float(model.learning_rate_init), factor, adaptive and not endless)

    def _assemble(self, data, rows, n):
        """Return Backprop on a copy of the parameters, and the minibatches of n rows."""
        model = self.model
        lbfgs = model.solver == "lbfgs"
        auto = "float64" if lbfgs else model.params_.dtype
        params = np.array(model.params_, auto if model.dtype == "auto" else model.dtype)
        batch_size = min(200, n) if model.batch_size == "auto" else int(model.batch_size)
        if batch_size > n and not lbfgs:
            warnings.warn(f"batch_size={batch_size} is clipped to the {n} samples.", stacklevel=5)
        batch_size = n if lbfgs else min(batch_size, n)
        backprop = Backprop(
            params,
            model._sizes,
            ACTIVATIONS[model.activation],
            LOSSES[model.out_activation_](model.label_smoothing),
            model.alpha,
            batch_size,
            self._dropout(),
            model._random_state,
        )
        weight = self._weight(data)
        return backprop, Minibatches(data.X, data.codes, weight, batch_size, params.dtype, rows)

    def _dropout(self):
        """Return a rate for each hidden layer."""
        model = self.model
        n_hidden = len(model._sizes) - 2
        rates = [model.dropout] * n_hidden if np.ndim(model.dropout) == 0 else list(model.dropout)
        if len(rates) != n_hidden:
            raise ValueError(
                f"dropout={model.dropout!r} is not accepted: it must be a number, or have one for "
                f"each of the {n_hidden} hidden layers."
            )
        if model.solver == "lbfgs" and (any(rates) or model.weight_decay):
            raise ValueError(
                f"solver='lbfgs' is not accepted with dropout={model.dropout!r}, weight_decay="
                f"{model.weight_decay!r}, which act on single steps: use alpha, or 'adam'."
            )
        return rates

    def _weight(self, data):
        """Return sample weights times class weights; 'balanced' goes on from call to call."""
        model = self.model
        if model.class_weight is None:
            return data.weight
        labels = np.arange(2) if data.labels.ndim == 2 else model.classes_
        masses = class_masses(data.codes, data.weight, len(labels))
        if self.max_iter is None:
            masses += vars(model).get("_class_masses", 0.0)
        model._class_masses = masses
        return weigh_classes(model.class_weight, labels, masses, data.codes, data.weight)
