"""The dense network: its flat parameter vector, forward pass and backpropagation.

Legend, for layers l = 1 .. L of sizes (d_0, ..., d_L) and a batch of n rows::

    A_0 = X                              (n, d_0)
    Z_l = A_{l-1} W_l + b_l              (n, d_l)        W_l (d_{l-1}, d_l), b_l (d_l,)
    A_l = f(Z_l)                         (n, d_l)        l < L; the last layer gives logits Z_L

    dZ_L = dLoss/dlogits                 (n, d_L)        from the loss
    dW_l = A_{l-1}^T dZ_l                (d_{l-1}, d_l)
    db_l = sum over rows of dZ_l         (d_l,)
    dA_l = dZ_{l+1} W_{l+1}^T            (n, d_l)
    dZ_l = dA_l * f'(Z_l)                (n, d_l)

Dropout [1]_ multiplies A_l, and on the way back dA_l, by a random mask that is 0 with probability p
and 1 / (1 - p) otherwise, in training only.

The flat vector holds W_1, ..., W_L and then b_1, ..., b_L; the layers' arrays are views of it. With
the weights in front, an L2 penalty is one slice and a checkpoint is one copy.

References
----------
.. [1] Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
   JMLR 15, 2014.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from sknumpynet.core.arrays import add_multiple, aligned_empty, converted
from sknumpynet.core.basis import Basis
from sknumpynet.core.batches import Minibatch
from sknumpynet.core.blas import limit_blas
from sknumpynet.core.types import Floats, Table

# Numbers that the widest layer may hold in a block of rows while predicting.
BLOCK = 2**20
# OpenBLAS itself uses one thread for products of fewer multiplications than this.
TINY_PRODUCT = 2**18
# A mask compares 16 random bits with p, so p has a resolution of 1 / 65,536.
MASK_LEVELS = 2**16


class Network(NamedTuple):
    """What a network computes, apart from its parameters.

    ``sizes`` are (d_0, ..., d_L), ``activation`` is a class of `activations`, ``loss`` an object
    of a class of `losses`. With a `Basis` the d_0 inputs are the coordinates of X in it.
    """

    sizes: tuple
    activation: Any
    loss: Any
    basis: Basis | None = None

    def inputs(self, X: Table) -> Table:
        """Return the input of the first layer."""
        return X if self.basis is None else self.basis.coordinates(X)

    def in_basis(self, basis: Basis) -> "Network":
        """Return the network on the coordinates of X."""
        sizes = basis.components.shape[1], *self.sizes[1:]
        return self._replace(sizes=sizes, basis=basis)


def n_weights(sizes: Sequence[int]) -> int:
    """Return how many of the parameters are weights; the biases follow them."""
    return sum(fan_in * fan_out for fan_in, fan_out in pairwise(sizes))


def views(params: Floats, sizes: Sequence[int]) -> tuple[list[Floats], list[Floats]]:
    """Return views of the flat vector: a list of weight matrices and a list of bias vectors."""
    weights, biases, start = [], [], 0
    for fan_in, fan_out in pairwise(sizes):
        stop = start + fan_in * fan_out
        weights.append(params[start:stop].reshape(fan_in, fan_out))
        start = stop
    for size in sizes[1:]:
        biases.append(params[start : start + size])
        start += size
    return weights, biases


def initialize(network: Network, rng: np.random.RandomState, dtype: DTypeLike) -> Floats:
    """Return fresh parameters: each layer uniform within its activation's bounds."""
    sizes = network.sizes
    params = aligned_empty((n_weights(sizes) + sum(sizes[1:]),), dtype)
    for W, b in zip(*views(params, sizes), strict=True):
        bound = network.activation.initial_bound(*W.shape)
        W[...] = rng.uniform(-bound, bound, W.shape)
        b[...] = rng.uniform(-bound, bound, b.shape)
    return params


def forward(X: Table, params: Floats, network: Network) -> Floats:
    """Return the logits (n, d_L) of the rows X (n, d_0), dense or CSR, in the params' dtype.

    All memory is allocated here, so any number of threads may call it with the same parameters.

    Raises
    ------
    ValueError
        If X has values that the dtype of the parameters cannot represent.
    """
    weights, biases = views(params, network.sizes)
    same = isinstance(X, np.ndarray) and X.dtype == params.dtype
    a = X if same else converted(X, params.dtype)
    with np.errstate(all="ignore"):
        a = network.inputs(a)
        for W, b in zip(weights, biases, strict=True):
            z = a @ W
            z += b
            if W is not weights[-1]:
                network.activation.forward(z)
            a = z
    return z


@np.errstate(all="ignore")
def forward_in_blocks(
    X: Table,
    params: Floats,
    network: Network,
    transform: Callable[[Floats], Any] = lambda logits: logits,
) -> Any:
    """Return ``transform(logits)`` of all rows of X, in blocks of rows to bound the memory.

    ``transform`` maps logits (n, d_L) to an array of n rows.
    """
    n, step = X.shape[0], max(1, BLOCK // max(network.sizes))
    largest_layer = max(fan_in * fan_out for fan_in, fan_out in pairwise(network.sizes))
    product = min(n, step) * largest_layer
    with limit_blas(product) if product > TINY_PRODUCT else nullcontext():
        if n <= step:
            return transform(forward(X, params, network))
        result = None
        for start in range(0, n, step):
            rows = slice(start, start + step)
            block = transform(forward(X[rows], params, network))
            if result is None:
                result = np.empty((n, *block.shape[1:]), block.dtype)
            result[rows] = block
    return result


class Backprop:
    """Loss and gradient of one minibatch, in buffers that are allocated once.

    Parameters
    ----------
    params : ndarray
        The flat parameter vector, updated in place by the optimizer.
    network : Network
    max_rows : int
        Rows of the largest minibatch.
    alpha : float
        Strength of the penalty alpha / 2 * sum(W**2) / n, for a minibatch of n rows.
    dropout : sequence of float
        Probability of dropping a unit, for each hidden layer; () is no dropout.

    Attributes
    ----------
    grad : ndarray like `params`
        The gradient at the last call.
    bits : numpy BitGenerator
        Source of the dropout masks; has to be set before the first call if there is dropout.
    """

    def __init__(
        self,
        params: Floats,
        network: Network,
        max_rows: int,
        alpha: float,
        dropout: Sequence[float],
    ) -> None:
        self.params, self.grad = params, aligned_empty(params.shape, params.dtype)
        self.network, self.activation, self.loss = network, network.activation, network.loss
        sizes = network.sizes
        self.alpha, self.bits = float(alpha), None
        self.dropout = [float(p) for p in dropout] if any(dropout) else ()
        self.weights, self.biases = views(params, sizes)
        self.weight_grads, self.bias_grads = views(self.grad, sizes)
        self.n_weights = n_weights(sizes)
        self.ones = np.ones(max_rows, params.dtype)

        def buffers(sizes):
            return [aligned_empty((max_rows, size), params.dtype) for size in sizes]

        self.outputs, self.deltas = buffers(sizes[1:]), buffers(sizes[1:-1])
        # Where an activation needs no slopes, their buffers have no columns.
        n_slopes = sizes[1:-1] if self.activation.keeps_slope else [0] * len(sizes[1:-1])
        self.slopes = buffers(n_slopes)
        self.dropped = buffers(sizes[1:-1]) if self.dropout else None
        self.masks = buffers(sizes[1:-1]) if self.dropout else None

    def __call__(self, batch: Minibatch) -> float:
        """Return the loss, sum_i w_i loss_i / n plus the penalty; set `grad` to its gradient."""
        X, y, weight = batch
        n = X.shape[0]
        inputs = self.forward(self.network.inputs(X))
        w = 1 / n if weight is None else weight * (1 / n)
        loss, delta = self.loss.value_and_grad(self.outputs[-1][:n], y, w)
        self.backward(inputs, delta)
        if self.alpha > 0:
            W = self.params[: self.n_weights]
            loss += 0.5 * self.alpha / n * float(W @ W)
            add_multiple(self.grad[: self.n_weights], self.alpha / n, W)
        return loss

    def forward(self, X: Table) -> list[Table]:
        """Compute the logits; return the input of each layer, [A_0 = X, A_1, ..., A_{L-1}]."""
        inputs, n = [X], X.shape[0]
        for layer, (W, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            z = multiply(inputs[-1], W, self.outputs[layer][:n])
            z += b
            if layer < len(self.deltas):
                self.activation.forward(z, self.slopes[layer][:n])
                a = z
                if self.masks:
                    mask = self.masks[layer][:n]
                    draw_mask(mask, self.dropout[layer], self.bits)
                    a = np.multiply(a, mask, out=self.dropped[layer][:n])
                inputs.append(a)
        return inputs

    def backward(self, inputs: list[Table], delta: Floats) -> None:
        """Set `grad`, given the input of each layer and dLoss/dZ_L."""
        n = len(delta)
        for layer in reversed(range(len(self.weights))):
            multiply(inputs[layer].T, delta, self.weight_grads[layer])
            np.dot(self.ones[:n], delta, out=self.bias_grads[layer])
            if layer > 0:
                below = layer - 1
                delta = np.dot(delta, self.weights[layer].T, out=self.deltas[below][:n])
                if self.masks:
                    delta *= self.masks[below][:n]
                a, slope = self.outputs[below][:n], self.slopes[below][:n]
                self.activation.backward(delta, a, slope)


def multiply(A: Table, B: Floats, out: Floats) -> Floats:
    """Write A @ B to `out`, for a dense or sparse A; np.dot starts faster than np.matmul."""
    if isinstance(A, np.ndarray):
        return np.dot(A, B, out=out)
    np.copyto(out, A @ B)
    return out


def draw_mask(mask: Floats, p: float, bits: np.random.SFC64) -> None:
    """Fill `mask` with 0, with probability p, and with 1 / (1 - p) elsewhere.

    `bits` is a numpy BitGenerator. Sixteen bits decide on each entry; p is rounded accordingly.
    """
    threshold = min(round(p * MASK_LEVELS), MASK_LEVELS - 1)
    draws = bits.random_raw(-(-mask.size // 4)).view(np.uint16)[: mask.size]
    kept = draws.reshape(mask.shape) >= np.uint16(threshold)
    np.multiply(kept, mask.dtype.type(MASK_LEVELS / (MASK_LEVELS - threshold)), out=mask)
