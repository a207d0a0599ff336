"""The dense network: its one flat parameter vector, forward pass and backpropagation.

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

The flat vector holds W_1, ..., W_L, then b_1, ..., b_L; everything else is a window on it. With
all weights in front, an L2 penalty is one slice, and a checkpoint is one copy.

References
----------
.. [1] Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
   JMLR 15, 2014.
"""

from itertools import pairwise
from math import sqrt

import numpy as np

from sknumpynet.aligned import aligned_empty
from sknumpynet.blas import add_multiple
from sknumpynet.hashing import draw_mask

# Numbers that the widest layer may hold while predicting.
BLOCK = 2**20


def n_weights(sizes):
    """Return how many of the parameters are weights; biases follow them."""
    return sum(fan_in * fan_out for fan_in, fan_out in pairwise(sizes))


def views(params, sizes):
    """Return windows on the flat vector: a list of weight matrices and a list of bias vectors."""
    weights, biases, start = [], [], 0
    for fan_in, fan_out in pairwise(sizes):
        stop = start + fan_in * fan_out
        weights.append(params[start:stop].reshape(fan_in, fan_out))
        start = stop
    for size in sizes[1:]:
        biases.append(params[start : start + size])
        start += size
    return weights, biases


def initialize(sizes, gain, rng, dtype):
    """Return fresh parameters, each layer uniform in +-sqrt(gain / (fan_in + fan_out))."""
    params = np.empty(n_weights(sizes) + sum(sizes[1:]), dtype)
    for W, b in zip(*views(params, sizes), strict=True):
        bound = sqrt(gain / sum(W.shape))
        W[...] = rng.uniform(-bound, bound, W.shape)
        b[...] = rng.uniform(-bound, bound, b.shape)
    return params


def forward(X, params, sizes, activation):
    """Return the logits (n, d_L) of the rows X (n, d_0), dense or CSR, in the params' dtype.

    It allocates what it needs, so any number of threads may call it with one set of parameters.
    """
    weights, biases = views(params, sizes)
    a = X.astype(params.dtype, copy=False)
    for W, b in zip(weights, biases, strict=True):
        z = a @ W
        z += b
        if W is not weights[-1]:
            activation.forward(z, z)
        a = z
    return a


def forward_in_blocks(X, params, sizes, activation, link=lambda logits: logits):
    """Return ``link(logits)`` of all rows of X, worked off in blocks to bound the memory.

    ``link`` maps logits (n, d_L) to an array of n rows.
    """
    n, step = X.shape[0], max(1, BLOCK // max(sizes))
    if n <= step:
        return link(forward(X, params, sizes, activation))
    result = None
    for start in range(0, n, step):
        rows = slice(start, start + step)
        block = link(forward(X[rows], params, sizes, activation))
        if result is None:
            result = np.empty((n, *block.shape[1:]), block.dtype)
        result[rows] = block
    return result


class Backprop:
    """Loss and gradient of one minibatch, in buffers made once.

    Parameters
    ----------
    params : ndarray
        The flat parameter vector; steps change it in place, and this object looks on.
    sizes : sequence of int
        d_0, ..., d_L.
    activation : class of `sknumpynet.activations`
    loss : object of `sknumpynet.losses`
    alpha : float
        Strength of the penalty alpha / 2 * sum(W**2) / mass.
    max_rows : int
        Rows of the largest minibatch.
    dropout : sequence of float, default=()
        Probability with which each hidden layer's units are dropped; none for ().
    rng : RandomState, default=None
        Where dropout takes its masks from.

    Attributes
    ----------
    grad : ndarray like `params`
        The gradient at the last call.
    """

    def __init__(self, params, sizes, activation, loss, alpha, max_rows, dropout=(), rng=None):
        self.params, self.grad = params, aligned_empty(params.shape, params.dtype)
        self.activation, self.loss, self.alpha = activation, loss, float(alpha)
        self.dropout, self.rng = [float(p) for p in dropout], rng
        self.weights, self.biases = views(params, sizes)
        self.weight_grads, self.bias_grads = views(self.grad, sizes)
        self.n_weights = n_weights(sizes)
        self.ones = np.ones(max_rows, params.dtype)

        def buffers(sizes):
            return [aligned_empty((max_rows, size), params.dtype) for size in sizes]

        self.pre_activations, self.deltas = buffers(sizes[1:]), buffers(sizes[1:-1])
        # The activation takes the place of z where nobody looks at z again.
        self.activations = buffers(sizes[1:-1]) if activation.needs_z else self.pre_activations
        self.dropped = buffers(sizes[1:-1]) if any(self.dropout) else None
        self.masks = buffers(sizes[1:-1]) if any(self.dropout) else None

    def __call__(self, X, y, weight, mass, keys=None):
        """Return the batch's loss; leave its gradient in `grad`.

        The loss is sum_i weight_i loss_i / mass plus the penalty; `weight` None is all ones. `keys`
        (n,) of uint64 tell the rows apart to dropout.
        """
        n = X.shape[0]
        inputs = self.forward(X, keys)
        share = 1 / mass if weight is None else weight * (1 / mass)
        loss, delta = self.loss.value_and_grad(self.pre_activations[-1][:n], y, share)
        self.backward(inputs, delta)
        if self.alpha > 0:
            W = self.params[: self.n_weights]
            loss += 0.5 * self.alpha / mass * float(W @ W)
            add_multiple(self.grad[: self.n_weights], self.alpha / mass, W)
        return loss

    def forward(self, X, keys=None):
        """Compute the logits; return what enters each layer, [A_0 = X, A_1, ..., A_{L-1}]."""
        inputs, n = [X], X.shape[0]
        for layer, (W, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            z = multiply(inputs[-1], W, self.pre_activations[layer][:n])
            z += b
            if layer < len(self.deltas):
                a = self.activations[layer][:n]
                self.activation.forward(z, a)
                if self.masks:
                    draw_mask(self.masks[layer][:n], self.dropout[layer], keys, self.rng)
                    a = np.multiply(a, self.masks[layer][:n], out=self.dropped[layer][:n])
                inputs.append(a)
        return inputs

    def backward(self, inputs, delta):
        """Fill `grad` from what entered each layer and dLoss/dZ_L."""
        n = len(delta)
        for layer in reversed(range(len(self.weights))):
            multiply(inputs[layer].T, delta, self.weight_grads[layer])
            np.dot(self.ones[:n], delta, out=self.bias_grads[layer])
            if layer > 0:
                below = layer - 1
                delta = np.dot(delta, self.weights[layer].T, out=self.deltas[below][:n])
                if self.masks:
                    delta *= self.masks[below][:n]
                a, z = self.activations[below][:n], self.pre_activations[below][:n]
                self.activation.backward(delta, a, z)


def multiply(A, B, out):
    """Write A @ B to `out`, A dense or sparse; np.dot is quicker to start than np.matmul."""
    if isinstance(A, np.ndarray):
        return np.dot(A, B, out=out)
    np.copyto(out, A @ B)
    return out
