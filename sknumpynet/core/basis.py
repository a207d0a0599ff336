"""A basis of the inputs, in which the first layer can be trained.

Where features rise and fall together, as in spectra, the steps of their weights add up: the
pre-activations jump along the few directions in which X varies most, and hardly move along the
others, in which the classes may differ. In a basis of principal components, whose variances are
brought closer together, they move alike.

Legend: ``B`` components (d, r), ``s`` shift (r,), the mean of ``X B``. The network is trained on
``X B - s`` with weights V (r, h) and biases b. As a network on X, its first layer has ``W = B V``
and the biases ``b - s V``: it is a network like any other.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from sknumpynet.core.arrays import aligned_empty
from sknumpynet.core.types import Floats, Table

# The components have this much of the variance of X; the rest is mostly noise.
KEPT = 0.9999


class Basis(NamedTuple):
    """Shift (r,) and components (d, r) of the inputs."""

    shift: np.ndarray
    components: np.ndarray

    @classmethod
    def around(cls, center: Floats, components: Floats, dtype: DTypeLike) -> "Basis":
        """Return the basis of components (d, r) whose coordinates of `center` (d,) are 0."""
        return cls((center @ components).astype(dtype), components.astype(dtype))

    def coordinates(self, X: Table) -> Floats:
        """Return X B - s, of shape (n, r), for a dense or CSR X in the dtype of the basis."""
        return X @ self.components - self.shift


@np.errstate(all="ignore")
def find_basis(X: Floats, power: float, total_variance: float, dtype: DTypeLike) -> Basis:
    """Return the basis of the principal components of X.

    Parameters
    ----------
    X : ndarray of float64 of shape (n, d)
    power : float
        A component of variance v gets a variance in proportion to v**(1 - 2 * power): 0 leaves the
        variances as they are, 1/2 makes them equal.
    total_variance : float
        Of the coordinates.
    dtype : dtype
        Of the basis.

    Returns
    -------
    basis : Basis
    """
    n, d = X.shape
    center = X.mean(axis=0)
    X = X - center
    largest = np.abs(X).max()
    X /= largest  # so that squares neither overflow nor vanish
    variances, vectors = np.linalg.eigh((X @ X.T if n < d else X.T @ X) / n)
    variances, vectors = np.maximum(variances[::-1], 0), vectors[:, ::-1]
    explained = np.cumsum(variances) / np.sum(variances)
    r = int(np.searchsorted(explained, KEPT)) + 1
    variances, components = variances[:r], vectors[:, :r]
    if n < d:
        components = X.T @ components / np.sqrt(n * variances)
    scale = variances**-power
    scale *= np.sqrt(total_variance / np.sum(variances * scale**2)) / largest
    return Basis.around(center, components * scale, dtype)


def folded(params: Floats, network: Any) -> Floats:
    """Return the parameters of the same network on X.

    Parameters
    ----------
    params : ndarray
        Of the network on the coordinates.
    network : Network
        If it has no basis, the result is `params`.

    Returns
    -------
    params : ndarray
    """
    if network.basis is None:
        return params
    shift, components = (array.astype(np.float64) for array in network.basis)
    n_hidden, n_biases = network.sizes[1], sum(network.sizes[1:])
    V, rest = np.split(params, [components.shape[1] * n_hidden])
    W = components @ V.reshape(-1, n_hidden)
    result = aligned_empty((W.size + rest.size,), params.dtype)
    result[: W.size], result[W.size :] = W.ravel(), rest
    first_biases = slice(result.size - n_biases, result.size - n_biases + n_hidden)
    result[first_biases] = result[first_biases] - shift @ V.reshape(-1, n_hidden)
    return result
