"""One call of ``fit`` or ``partial_fit``: hyper-parameters become parts, and the parts are run."""

import warnings
from copy import deepcopy
from dataclasses import fields, replace
from itertools import islice
from math import isfinite, nan

import numpy as np
from sklearn.utils import check_random_state

from sknumpynet.activations import ACTIVATIONS
from sknumpynet.aligned import aligned_copy
from sknumpynet.batches import Minibatches
from sknumpynet.blas import one_thread
from sknumpynet.losses import LOSSES
from sknumpynet.monitor import HeldOut, Monitor, split
from sknumpynet.network import Backprop
from sknumpynet.optimizers import OPTIMIZERS
from sknumpynet.schedules import BUDGETED, SCHEDULES
from sknumpynet.training import Rate, epochs, minimize, stepper
from sknumpynet.weights import class_masses, weigh_classes


class Descent:
    """The parts of one call, on copies of all that must survive its failure.

    Parameters
    ----------
    model : NumpyMLPClassifier
        Initialised. Its parameters and its record change with each good epoch.
    data : Data
    settings : NumpyMLPClassifier
        Has its hyper-parameters, settled; ``max_iter`` is None in ``partial_fit``.
    held_out : HeldOut or None
        If None, ``early_stopping`` holds out a part of the data.

    Raises
    ------
    ValueError
        If hyper-parameters do not fit each other or the data.
    """

    def __init__(self, model, data, settings, held_out=None):
        self.model, self.settings = model, settings
        stream = model._random_state
        stream = check_random_state(model.random_state) if stream is None else deepcopy(stream)
        model._random_state = stream
        weight, rows = self._weight(data), None
        if held_out is None and settings.early_stopping:
            rows, held = split(data, settings.validation_fraction, stream)
            held_out = HeldOut(replace(data, weight=weight).part(held), settings.scoring)
        n = data.n if rows is None else len(rows)
        self.rate = self._rate(n)
        self.backprop, self.minibatches = self._assemble(data, weight, rows, n)
        self.monitor = Monitor(model, settings, self.backprop, n, self.rate, held_out)

    @one_thread()
    def run(self, task, until=lambda: None):
        """Train until something says stop; return what did, or None at the end of max_iter.

        `task` is the `FitTask` to keep informed; ``until()`` may say stop after each epoch.
        """
        model, settings, params = self.model, self.settings, self.backprop.params
        last = model.n_iter_ + settings.max_iter

        def after(loss, learning_rate=nan):
            reason = self.monitor.after(loss, learning_rate) or until()
            if task.end_epoch(lambda: {**vars(model), "params_": params.copy()}):
                reason = "a callback asked to stop"
            if reason is None and model.n_iter_ < last:
                task.begin_epoch()
            return reason

        task.begin_epoch()
        if settings.solver == "lbfgs":
            batch = next(self.minibatches.one_pass())
            limits = {"maxiter": settings.max_iter, "maxfun": settings.max_fun}
            options = {**limits, "gtol": settings.tol}
            return "done" if minimize(self.backprop, batch, after, options) else None
        passes = islice(self._passes(), settings.max_iter)
        return next(filter(None, (after(*result) for result in passes)), None)

    @one_thread()
    def run_one_pass(self):
        self.monitor.after(*next(self._passes()))

    def _passes(self):
        """Yield loss and learning rate of each pass; keep no moments of one that went wrong."""
        model, settings, backprop = self.model, self.settings, self.backprop
        optimizer, state = self._optimizer()
        factors = float(settings.weight_decay), float(settings.first_layer_factor)
        step = stepper(optimizer, state, backprop, *factors)
        rng = model._random_state if settings.shuffle else None
        for loss, rate in epochs(backprop, self.minibatches, step, self.rate, rng, model.t_):
            model._solver_state = state if isfinite(loss) else {}
            yield loss, rate
            model._solver_state = {}

    def _optimizer(self):
        """Return the optimizer, and a copy of its memory where that goes on, else a fresh one."""
        model, settings, params = self.model, self.settings, self.backprop.params
        optimizer_class = OPTIMIZERS[settings.solver]
        values = {f.name: f.type(getattr(settings, f.name)) for f in fields(optimizer_class)}
        optimizer = optimizer_class(**values)
        state = optimizer.start(params)
        if model._solver_state.keys() == state.keys():
            for name, value in model._solver_state.items():
                state[name] = aligned_copy(value, params.dtype) if np.ndim(value) else value
        return optimizer, state

    def _rate(self, n):
        settings, name = self.settings, self.settings.learning_rate
        endless = settings.max_iter is None
        adaptive = name == "adaptive"
        if adaptive or (name in BUDGETED and endless):
            name = "constant"
        budget = None if endless else n * settings.max_iter
        factor = SCHEDULES[name](float(settings.power_t), self.model.t_, budget)
        return Rate(float(settings.learning_rate_init), factor, adaptive and not endless)

    def _assemble(self, data, weight, rows, n):
        """Return Backprop on a copy of the parameters, and the minibatches of n rows."""
        model, settings = self.model, self.settings
        lbfgs = settings.solver == "lbfgs"
        auto = "float64" if lbfgs else model.params_.dtype
        params = aligned_copy(model.params_, auto if settings.dtype == "auto" else settings.dtype)
        batch_size = int(settings.batch_size)
        if batch_size > data.n and self.model.batch_size != "auto" and not lbfgs:
            message = f"batch_size={batch_size} is clipped to the {data.n} samples."
            warnings.warn(message, stacklevel=5)
        batch_size = n if lbfgs else min(batch_size, n)
        backprop = Backprop(
            params,
            model._sizes,
            ACTIVATIONS[model._activation],
            LOSSES[model.out_activation_](settings.label_smoothing),
            settings.alpha,
            batch_size,
            self._dropout(),
            model._random_state,
        )
        keys = data.keys if any(backprop.dropout) else None
        batches = data.X, data.codes, weight, batch_size, params.dtype, rows, keys
        return backprop, Minibatches(*batches)

    def _dropout(self):
        """Return a rate for each hidden layer."""
        settings, n_hidden = self.settings, len(self.model._sizes) - 2
        one_for_all = np.ndim(settings.dropout) == 0
        rates = [settings.dropout] * n_hidden if one_for_all else list(settings.dropout)
        if len(rates) != n_hidden:
            raise ValueError(
                f"dropout={settings.dropout!r} is not accepted: it must be a number, or have one "
                f"for each of the {n_hidden} hidden layers."
            )
        if settings.solver == "lbfgs" and (any(rates) or settings.weight_decay):
            raise ValueError(
                f"solver='lbfgs' is not accepted with dropout={settings.dropout!r}, weight_decay="
                f"{settings.weight_decay!r}, which act on single steps: use alpha, or 'adam'."
            )
        return rates

    def _weight(self, data):
        """Return sample weights times class weights; 'balanced' goes on from call to call."""
        model, settings = self.model, self.settings
        if settings.class_weight is None:
            return data.weight
        labels = np.arange(2) if data.labels.ndim == 2 else model.classes_
        masses = class_masses(data.codes, data.weight, len(labels))
        if settings.max_iter is None:
            masses += vars(model).get("_class_masses", 0.0)
        model._class_masses = masses
        return weigh_classes(settings.class_weight, labels, masses, data.codes, data.weight)
