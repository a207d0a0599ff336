"""Hashing: which rows are equal, and which of their units dropout drops.

Equal rows have equal keys. Rows that stand together in the validation split, and lose the same
units in a step, if their keys are equal, are as good as one row of weight 2.

The mask of a layer of d units is a multiply-shift hash [1]_ of the n rows' keys, with random
numbers r_1 ... r_d drawn for each step: unit j of row i is dropped if ``key_i r_j mod 2^32 <
p 2^32``. That takes d random numbers, and is quicker than to draw n d.

References
----------
.. [1] Dietzfelbinger et al., "A Reliable Randomized Algorithm for the Closest-Pair Problem",
   Journal of Algorithms 25, 1997.
"""

import numpy as np
from scipy.sparse import csr_array, issparse


def row_keys(X, seed=0):
    """Return a number for each row of X, uint64 (n,): equal for equal rows, else almost never.

    It is a sum over the features of the number's bits times a random factor, mod 2^64: exact, so
    the same wherever a row stands, and 0 for a feature that is 0, so the same for dense and sparse.
    """
    odd = np.random.RandomState(seed).randint(2**63, size=X.shape[1], dtype=np.uint64) * 2 + 1
    step = max(1, 2**16 // max(1, X.shape[1]))
    blocks = (X[start : start + step] for start in range(0, X.shape[0], step))
    return np.concatenate([bits(block) @ odd for block in blocks])


def bits(block):
    """Return the bits of numbers as uint64, the high ones, which vary, also in low places."""
    if issparse(block):
        return csr_array((bits(block.data), block.indices, block.indptr), block.shape)
    high = (block.astype(np.float64) + 0.0).view(np.uint64)  # -0.0 + 0.0 is 0.0
    return high ^ (high >> np.uint64(32))


def draw_mask(mask, p, keys, rng):
    """Fill `mask` with 0, with probability p, and with 1 / (1 - p) elsewhere, by the rows' keys."""
    odd = (keys >> np.uint64(32)).astype(np.uint32) | np.uint32(1)
    r = np.frombuffer(rng.bytes(4 * mask.shape[1]), np.uint32)
    kept = odd[:, None] * r >= np.uint32(p * 2**32)
    np.multiply(kept, mask.dtype.type(1 / (1 - p)), out=mask)
