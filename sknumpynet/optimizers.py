"""Optimizers: one in-place step on the flat parameter vector. They do nothing else.

Legend: ``p`` parameters, ``g`` gradient, ``lr`` learning rate, ``t`` number of the step from 1.

SGD with momentum ``mu`` (heavy ball, or Nesterov's form after [1]_)::

    v <- mu v - lr g
    p <- p + v                    or, Nesterov:  p <- p + mu v - lr g

Adam [2]_, in the paper's efficient order, where epsilon stands beside the uncorrected root::

    m <- b1 m + (1 - b1) g
    v <- b2 v + (1 - b2) g^2
    p <- p - lr sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + epsilon)

What is kept are weighted sums, m a / (1 - b1) and v c / (1 - b2): where the weight of the new grows
by 1 / b1 from step to step, the old need not be multiplied by b1. That saves passes over the
parameters; of the seven that are left the root takes a third of the time.

An optimizer is a dataclass whose fields are estimator parameters, with

- ``start(p)``, the state of a run: a dict of arrays like ``p`` and plain numbers;
- ``step(p, g, lr, state)``, which changes ``p`` and ``state`` in place. The gradient is dead after
  the step, so its memory serves as scratch space.

Hyper-parameters are Python floats: a NumPy float64 scalar would promote float32 arrays.

To add one: write the class and name it in `OPTIMIZERS`; the tests find it there.

References
----------
.. [1] Sutskever et al., "On the importance of initialization and momentum in deep learning",
   ICML 2013.
.. [2] Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, arXiv:1412.6980.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from sknumpynet.aligned import aligned_copy
from sknumpynet.blas import add_multiple

# Far from what float32 holds, even for the squares of large gradients.
HEAVIEST = 1e4


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent; with ``momentum=0`` the textbook p <- p - lr g."""

    momentum: float = 0.9
    nesterovs_momentum: bool = True

    def start(self, p):
        return {"velocity": aligned_copy(np.zeros_like(p))} if self.momentum > 0 else {}

    def step(self, p, g, lr, state):
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
    """Adaptive moments."""

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def start(self, p):
        zeros = np.zeros_like(p)
        return {"m": aligned_copy(zeros), "v": aligned_copy(zeros), "t": 0, "a": 1.0, "c": 1.0}

    def step(self, p, g, lr, state):
        m, v = state["m"], state["v"]
        state["t"] = t = state["t"] + 1
        state["a"] = a = fade(m, state["a"], self.beta_1)
        state["c"] = c = fade(v, state["c"], self.beta_2)
        add_multiple(m, a, g)
        g *= g
        add_multiple(v, c, g)
        np.sqrt(v, out=g)
        unit = sqrt((1 - self.beta_2) / c)
        g += self.epsilon / unit
        np.divide(m, g, out=g)
        lr *= sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t) * (1 - self.beta_1) / (a * unit)
        add_multiple(p, -lr, g)


def fade(total, weight, beta):
    """Return the weight of what comes next in `total`, 1 / beta of what came last; bound it."""
    if weight > HEAVIEST * beta:
        total *= beta / weight
        return 1.0
    return weight / beta


OPTIMIZERS = {
    "sgd": SGD,
    "adam": Adam,
}
