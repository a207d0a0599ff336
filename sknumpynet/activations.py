"""Non-linearities of the hidden layers: the value and its slope, side by side.

Legend: ``z`` pre-activation, ``a = f(z)`` activation, ``grad`` on entry dL/da and on return
dL/dz = dL/da * f'(z); all of shape (n_rows, n_units).

========  ====================  =====================
name      f(z)                  f'(z), from ``a``
========  ====================  =====================
identity  z                     1
relu      max(z, 0)             1 where a > 0, else 0
tanh      tanh(z)               1 - a**2
logistic  1 / (1 + exp(-z))     a * (1 - a)
========  ====================  =====================

An activation is a class with

- ``forward(z, out)``, which writes f(z) to ``out`` (``out`` may be ``z``);
- ``backward(grad, a, z)``, which multiplies ``grad`` by the slope in place;
- ``gain``: a layer starts uniform in +-sqrt(gain / (fan_in + fan_out)), after [1]_.

To add one: write the class and name it in `ACTIVATIONS`; the tests find it there.

References
----------
.. [1] Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
   networks", AISTATS 2010.
"""

import numpy as np


class Identity:
    """f(z) = z: a stack of linear layers."""

    gain = 6.0

    @staticmethod
    def forward(z, out):
        if out is not z:
            np.copyto(out, z)

    @staticmethod
    def backward(grad, a, z):
        pass


class ReLU:
    """f(z) = max(z, 0), with slope 0 at z = 0."""

    gain = 6.0

    @staticmethod
    def forward(z, out):
        np.maximum(z, 0, out=out)

    @staticmethod
    def backward(grad, a, z):
        grad *= a > 0


class Tanh:
    """f(z) = tanh(z)."""

    gain = 6.0

    @staticmethod
    def forward(z, out):
        np.tanh(z, out=out)

    @staticmethod
    def backward(grad, a, z):
        grad *= 1 - a * a


class Logistic:
    """f(z) = 1 / (1 + exp(-z)), as (1 + tanh(z / 2)) / 2, which cannot overflow."""

    gain = 2.0

    @staticmethod
    def forward(z, out):
        np.multiply(z, 0.5, out=out)
        np.tanh(out, out=out)
        out *= 0.5
        out += 0.5

    @staticmethod
    def backward(grad, a, z):
        grad *= a * (1 - a)


ACTIVATIONS = {
    "identity": Identity,
    "logistic": Logistic,
    "tanh": Tanh,
    "relu": ReLU,
}
