"""The network and its training, in NumPy and SciPy alone.

Read `network` first, then `activations`, `losses` and `optimizers`: each opens with its formulas.
"""
