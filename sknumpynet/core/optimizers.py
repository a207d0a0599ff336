"""Optimizers: one in-place step on the flat parameter vector, and nothing else.

Legend: ``p`` parameters, ``g`` gradient, ``lr`` learning rate, ``t`` number of the step from 1.

SGD with momentum ``mu`` (heavy ball, or Nesterov's form after [1]_)::

    v <- mu v - lr g
    p <- p + v                    or, Nesterov:  p <- p + mu v - lr g

Adam [2]_, in the paper's efficient order, in which epsilon is added to the uncorrected root::

    m <- b1 m + (1 - b1) g
    v <- b2 v + (1 - b2) g^2
    p <- p - lr sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + epsilon)

With epsilon = 0, 1 / sqrt(v) is approximated from the bits of v [3]_, which takes half the time of
root and quotient. The exponent of a float is the integer part of its logarithm, and its fraction is
nearly the rest, so that the bits, as an integer, are a linear function of log2(v). A constant minus
half that integer has the bits of a number within 3.5 % of 1 / sqrt(v), and of a large but finite
one for v = 0.

The moments are stored as m = a M and v = c V, with numbers a and c: to decay a moment is then to
multiply its number, which saves two passes over the parameters. That is 3 to 11 % of a step.

An optimizer is a dataclass whose fields are parameters of the estimator, with

- ``start(p)``, which returns the state of a run: a dict of arrays like ``p`` and plain numbers;
- ``step(p, g, lr, state)``, which updates ``p`` and ``state`` in place. The gradient is not needed
  after the step, so its memory serves as scratch space.

Hyper-parameters are Python floats: a NumPy float64 scalar would promote float32 arrays.

To add an optimizer, write the class and name it in `OPTIMIZERS`; the tests find it there.

References
----------
.. [1] Sutskever et al., "On the importance of initialization and momentum in deep learning",
   ICML 2013.
.. [2] Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, arXiv:1412.6980.
.. [3] Lomont, "Fast Inverse Square Root", Purdue University, 2003.
"""

from dataclasses import dataclass, fields
from math import sqrt
from typing import Any

import numpy as np

from sknumpynet.core.arrays import add_multiple, aligned_copy
from sknumpynet.core.config import TrainingConfig
from sknumpynet.core.state import TrainingState
from sknumpynet.core.types import Floats

# Keeps M and V within float32's range, also for the squares of large gradients.
SMALLEST_SCALE = 1e-4
# An integer type as wide as each float type, and 3/2 of the bits of v = 1, less a little so that
# the approximation of 1 / sqrt(v) is at most as much too large as it is too small.
BITS = {
    np.dtype(np.float32): (np.int32, 0x5F37642F),
    np.dtype(np.float64): (np.int64, 0x5FE6EC85E0000000),
}


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent; with ``momentum=0`` the textbook p <- p - lr g."""

    momentum: float = 0.9
    nesterovs_momentum: bool = True

    def start(self, p: Floats) -> dict[str, Any]:
        return {"velocity": aligned_copy(np.zeros_like(p))} if self.momentum > 0 else {}

    def step(self, p: Floats, g: Floats, lr: float, state: dict[str, Any]) -> None:
        g *= -lr
        if self.momentum > 0:
            velocity = state["velocity"]
            velocity *= self.momentum
            velocity += g
            if self.nesterovs_momentum:
                p += g
                np.multiply(velocity, self.momentum, out=g)
            else:
                g = velocity
        p += g


@dataclass(frozen=True)
class Adam:
    """Adaptive moments; ``epsilon=0`` is faster and within 3.5 %."""

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def start(self, p: Floats) -> dict[str, Any]:
        zeros = np.zeros_like(p)
        return {"M": aligned_copy(zeros), "V": aligned_copy(zeros), "a": 1.0, "c": 1.0, "t": 0}

    def step(self, p: Floats, g: Floats, lr: float, state: dict[str, Any]) -> None:
        M, V = state["M"], state["V"]
        state["t"] = t = state["t"] + 1
        state["a"] = a = decay(M, state["a"], self.beta_1)
        state["c"] = c = decay(V, state["c"], self.beta_2)
        add_multiple(M, (1 - self.beta_1) / a, g)
        g *= g
        add_multiple(V, (1 - self.beta_2) / c, g)
        root = sqrt(c)
        if self.epsilon == 0:
            approximate_inverse_root(V, out=g)
            g *= M
        else:
            np.sqrt(V, out=g)
            # Smaller squares vanish, and a smaller epsilon might too.
            g += max(self.epsilon, sqrt(np.finfo(V.dtype).tiny)) / root
            np.divide(M, g, out=g)
        lr *= sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)
        add_multiple(p, -lr * a / root, g)


def decay(moment: Floats, scale: float, beta: float) -> float:
    """Multiply ``scale * moment`` by `beta`; return the new scale."""
    scale *= beta
    if scale > SMALLEST_SCALE:
        return scale
    moment *= scale
    return 1.0


def approximate_inverse_root(v: Floats, out: Floats) -> None:
    """Write an approximation of 1 / sqrt(v) to `out`, for v >= 0."""
    integer, at_one = BITS[v.dtype]
    bits = out.view(integer)
    np.right_shift(v.view(integer), 1, out=bits)
    np.subtract(integer(at_one), bits, out=bits)


OPTIMIZERS = {
    "sgd": SGD,
    "adam": Adam,
}


def start_optimizer(config: TrainingConfig, state: TrainingState) -> tuple[Any, dict[str, Any]]:
    """Return the optimizer and its state: a copy of the one so far, or a new one if it differs."""
    optimizer_class = OPTIMIZERS[config.solver]
    optimizer = optimizer_class(
        **{f.name: getattr(config, f.name) for f in fields(optimizer_class)}
    )
    started = optimizer.start(state.params)
    if state.optimizer.keys() == started.keys():
        for name, value in state.optimizer.items():
            is_array = np.ndim(value) > 0
            started[name] = aligned_copy(value, state.params.dtype) if is_array else value
    return optimizer, started
