"""A basis of the inputs, in which the first layer can be trained.

Where features rise and fall together, as in spectra, the steps of their weights add up: the
pre-activations jump along the few directions in which X varies most, and hardly move along the
others, in which the classes may differ. In a basis of principal components, whose variances are
brought closer together, they move alike.

Legend: ``c`` center (d,), ``B`` components (d, r). The network is trained on ``(X - c) B`` with
weights V (r, h) and biases b. As a network on X, its first layer has ``W = B V`` and the biases
``b - c W``: it is a network like any other.
"""

from typing import NamedTuple

import numpy as np

from sknumpynet.core.arrays import aligned_empty

# The components have this much of the variance of X; the rest is mostly noise.
KEPT = 0.9999


class Basis(NamedTuple):
    """Center (d,) and components (d, r) of the inputs."""

    center: np.ndarray
    components: np.ndarray

    def coordinates(self, X):
        """Return (X - c) B, of shape (n, r), for a dense or CSR X in the dtype of the basis."""
        return X @ self.components - self.center @ self.components


@np.errstate(all="ignore")
def find_basis(X, power, total_variance, dtype):
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
    return Basis(center.astype(dtype), (components * scale).astype(dtype))


def folded(params, network):
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
    center, components = (array.astype(np.float64) for array in network.basis)
    n_hidden, n_biases = network.sizes[1], sum(network.sizes[1:])
    V, rest = np.split(params, [components.shape[1] * n_hidden])
    W = components @ V.reshape(-1, n_hidden)
    result = aligned_empty((W.size + rest.size,), params.dtype)
    result[: W.size], result[W.size :] = W.ravel(), rest
    first_biases = slice(result.size - n_biases, result.size - n_biases + n_hidden)
    result[first_biases] = result[first_biases] - center @ W
    return result
