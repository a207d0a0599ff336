"""Activation functions of the hidden layers: each value beside its slope.

Legend: ``z`` pre-activation, ``a = f(z)`` activation, ``grad`` on entry dL/da and on return
dL/dz = dL/da * f'(z); all of shape (n_rows, n_units).

==========  ================================  =========================================
name        f(z)                              f'(z)
==========  ================================  =========================================
identity    z                                 1
relu        max(z, 0)                         1 where a > 0, else 0
leaky_relu  z where z > 0, else 0.01 z        1 where a > 0, else 0.01
elu         z where z > 0, else e^z - 1       1 where a > 0, else a + 1
selu        1.0507 z, 1.7581 (e^z - 1) [2]_   1.0507 where a > 0, else a + 1.7581
tanh        tanh(z)                           1 - a^2
logistic    s(z) = 1 / (1 + e^-z)             a (1 - a)
silu        z s(z) [3]_                       s(z) + a (1 - s(z))
gelu        z s(2 u) [4]_                     s(2 u) + a (1 - s(2 u)) 2 u'
==========  ================================  =========================================

with ``u = sqrt(2 / pi) (z + 0.044715 z^3)``. An activation is a class with

- ``forward(z, slope=None)``, which replaces ``z`` by ``a``;
- ``backward(grad, a, slope)``, which multiplies ``grad`` by the slope in place;
- ``keeps_slope``: whether ``forward`` also writes f'(z) to ``slope``, if it is an array. The slopes
  of silu and gelu are not functions of ``a``, and share most of their arithmetic with the values;
- ``initial_bound(fan_in, fan_out)``: a layer is initialised uniformly in [-bound, bound].

To add an activation, write the class and name it in `ACTIVATIONS`; the tests find it there. Its
ONNX graph is in `onnx.graphs`.

References
----------
.. [1] Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
   networks", AISTATS 2010.
.. [2] Klambauer et al., "Self-Normalizing Neural Networks", NeurIPS 2017.
.. [3] Elfwing et al., "Sigmoid-Weighted Linear Units for Neural Network Function Approximation in
   Reinforcement Learning", Neural Networks 107, 2018.
.. [4] Hendrycks and Gimpel, "Gaussian Error Linear Units (GELUs)", arXiv:1606.08415; this is the
   tanh form.
"""

from math import pi, sqrt

import numpy as np

from sknumpynet.core.types import Floats


def glorot(fan_in: int, fan_out: int) -> float:
    """Return the bound of Glorot's uniform initialisation [1]_."""
    return sqrt(6 / (fan_in + fan_out))


def glorot_sigmoid(fan_in: int, fan_out: int) -> float:
    """Return a third of Glorot's variance, as scikit-learn does for 'logistic'."""
    return sqrt(2 / (fan_in + fan_out))


def unit_variance(fan_in: int, fan_out: int) -> float:
    """Return the bound for weights of variance 1 / fan_in, which keep the variance of z at 1."""
    return sqrt(3 / fan_in)


class Identity:
    """f(z) = z: a stack of linear layers."""

    initial_bound = staticmethod(glorot)
    keeps_slope = False

    @staticmethod
    def forward(z: Floats, slope: Floats | None = None) -> None:
        pass

    @staticmethod
    def backward(grad: Floats, a: Floats, slope: Floats | None) -> None:
        pass


class ReLU:
    """f(z) = max(z, 0), with slope 0 at z = 0."""

    initial_bound = staticmethod(glorot)
    keeps_slope = False

    @staticmethod
    def forward(z: Floats, slope: Floats | None = None) -> None:
        # np.maximum is twice as fast with a row of zeros as with the scalar 0.
        np.maximum(z, np.zeros(z.shape[-1], z.dtype), out=z)

    @staticmethod
    def backward(grad: Floats, a: Floats, slope: Floats | None) -> None:
        grad *= a > 0


class Tanh:
    """f(z) = tanh(z)."""

    initial_bound = staticmethod(glorot)
    keeps_slope = False

    @staticmethod
    def forward(z: Floats, slope: Floats | None = None) -> None:
        np.tanh(z, out=z)

    @staticmethod
    def backward(grad: Floats, a: Floats, slope: Floats | None) -> None:
        grad *= 1 - a * a


class Logistic:
    """f(z) = 1 / (1 + exp(-z)), as (1 + tanh(z / 2)) / 2, which cannot overflow."""

    initial_bound = staticmethod(glorot_sigmoid)
    keeps_slope = False

    @staticmethod
    def forward(z: Floats, slope: Floats | None = None) -> None:
        z *= 0.5
        np.tanh(z, out=z)
        z *= 0.5
        z += 0.5

    @staticmethod
    def backward(grad: Floats, a: Floats, slope: Floats | None) -> None:
        grad *= a * (1 - a)


class LeakyReLU:
    """f(z) = z for z > 0, else 0.01 z, so that no unit stops learning."""

    initial_bound = staticmethod(glorot)
    keeps_slope = False
    below = 0.01

    @classmethod
    def forward(cls, z: Floats, slope: Floats | None = None) -> None:
        np.maximum(z, cls.below * z, out=z)

    @classmethod
    def backward(cls, grad: Floats, a: Floats, slope: Floats | None) -> None:
        np.multiply(grad, cls.below, out=grad, where=a <= 0)


class ELU:
    """f(z) = z for z > 0, else e^z - 1: scale z, else floor (e^z - 1)."""

    initial_bound = staticmethod(glorot)
    keeps_slope = False
    scale = 1.0
    floor = 1.0

    @classmethod
    def forward(cls, z: Floats, slope: Floats | None = None) -> None:
        below = cls.floor * np.expm1(np.minimum(z, 0))
        np.maximum(z, 0, out=z)
        z *= cls.scale
        z += below

    @classmethod
    def backward(cls, grad: Floats, a: Floats, slope: Floats | None) -> None:
        grad *= np.where(a > 0, cls.scale, a + cls.floor).astype(a.dtype, copy=False)


class SELU(ELU):
    """ELU scaled so that activations keep mean 0 and variance 1 from layer to layer [2]_."""

    initial_bound = staticmethod(unit_variance)
    scale = 1.0507009873554805
    floor = 1.0507009873554805 * 1.6732632423543772


class SiLU:
    """f(z) = z / (1 + e^-z)."""

    initial_bound = staticmethod(glorot)
    keeps_slope = True

    @staticmethod
    def forward(z: Floats, slope: Floats | None = None) -> None:
        s = z.copy()
        Logistic.forward(s)
        z *= s
        if slope is not None:
            np.subtract(1, s, out=slope)
            slope *= z
            slope += s

    @staticmethod
    def backward(grad: Floats, a: Floats, slope: Floats | None) -> None:
        grad *= slope


class GELU:
    """f(z) = z times the normal cumulative distribution function, approximated by tanh."""

    initial_bound = staticmethod(glorot)
    keeps_slope = True
    cubic = 0.044715
    root = sqrt(2 / pi)

    @classmethod
    def forward(cls, z: Floats, slope: Floats | None = None) -> None:
        squares = np.multiply(z, z, out=slope)
        s = squares * (cls.root * cls.cubic)
        s += cls.root
        s *= z
        np.tanh(s, out=s)
        s *= 0.5
        s += 0.5
        z *= s
        if slope is not None:
            # s + a (1 - s) 2 u', from the squares of z, which slope still holds
            slope *= 6 * cls.root * cls.cubic
            slope += 2 * cls.root
            slope *= z
            slope *= 1 - s
            slope += s

    @staticmethod
    def backward(grad: Floats, a: Floats, slope: Floats | None) -> None:
        grad *= slope


ACTIVATIONS = {
    "identity": Identity,
    "logistic": Logistic,
    "tanh": Tanh,
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "elu": ELU,
    "selu": SELU,
    "silu": SiLU,
    "gelu": GELU,
}
