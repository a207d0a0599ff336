"""The formulas of the networks and of the encoder, as nodes of an ONNX graph.

Legend: ``op`` adds a node and returns the name of its result; its inputs are such names and arrays.
``c`` makes an array of a number, in the dtype of the graph.
"""

from functools import partial

import numpy as np
from onnx import TensorProto

from sknumpynet.core.activations import ELU, GELU, SELU, LeakyReLU
from sknumpynet.data.classes import ClassTargets
from sknumpynet.data.numbers import NumberTargets, levels_of
from sknumpynet.preprocessing.encoding import ENCODED
from sknumpynet.preprocessing.robust import LIMIT

FLOAT, DOUBLE = TensorProto.FLOAT, TensorProto.DOUBLE
INT64, STRING = TensorProto.INT64, TensorProto.STRING


def sigmoid_gelu(op, z, c):
    """z s(2 u), as in `core.activations`."""
    u = op.Mul(z, op.Add(c(GELU.root), op.Mul(c(GELU.root * GELU.cubic), op.Mul(z, z))))
    return op.Mul(z, op.Sigmoid(op.Add(u, u)))


def elu(op, z, c, kind):
    """scale max(z, 0) + floor (e^min(z, 0) - 1), as in `core.activations`."""
    below = op.Mul(c(kind.floor), op.Sub(op.Exp(op.Min(z, c(0))), c(1)))
    return op.Add(op.Mul(c(kind.scale), op.Max(z, c(0))), below)


ACTIVATIONS = {
    "identity": lambda op, z, c: z,
    "logistic": lambda op, z, c: op.Sigmoid(z),
    "tanh": lambda op, z, c: op.Tanh(z),
    "relu": lambda op, z, c: op.Max(z, c(0)),
    "leaky_relu": lambda op, z, c: op.Max(z, op.Mul(c(LeakyReLU.below), z)),
    "elu": lambda op, z, c: elu(op, z, c, ELU),
    "selu": lambda op, z, c: elu(op, z, c, SELU),
    "silu": lambda op, z, c: op.Mul(z, op.Sigmoid(z)),
    "gelu": sigmoid_gelu,
}


def is_multilabel(model):
    """Tell whether a classifier was trained on a multilabel indicator."""
    return ClassTargets.of_fitted(vars(model)).multilabel


def labels_of(scope, model):
    """Return the classes as a list of int or str; with the option ``nocl`` their positions.

    Raises
    ------
    ValueError
        If they are anything else, or an int is too large.
    """
    classes = model.classes_
    if scope.get_options(model, {"nocl": False})["nocl"]:
        return list(range(len(classes)))
    labels = classes.tolist()
    if classes.dtype.kind in "biu" and labels[-1] < 2**63:
        return list(map(int, labels))
    if all(isinstance(label, str) for label in labels):
        return labels
    raise ValueError(
        f"classes_ of dtype {classes.dtype}, up to {labels[-1]!r}, cannot be converted: ONNX "
        "labels are strings or integers below 2**63. Train with such labels, or pass "
        "options={'nocl': True} to get their positions in classes_."
    )


def constant(op, labels):
    """Add the labels as an initializer, and return its name."""
    name = op.scope.get_unique_variable_name("classes")
    kind = STRING if isinstance(labels[0], str) else INT64
    values = [label.encode() for label in labels] if kind == STRING else labels
    op.container.add_initializer(name, kind, [len(values)], values)
    return name


def logits(op, X, model):
    """Return the network's outputs, in the dtype of its parameters."""
    name, dtype = model.settings_["activation"], model.params_.dtype
    if name not in ACTIVATIONS:
        raise ValueError(
            f"activation={name!r} cannot be converted: its formula in ONNX is not known, as those "
            f"of {list(ACTIVATIONS)} are. Add it to sknumpynet.onnx.graphs.ACTIVATIONS."
        )
    z = op.Cast(X, to=DOUBLE if dtype == np.float64 else FLOAT)
    for layer, (W, b) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        z = ACTIVATIONS[name](op, z, partial(np.full, 1, dtype=dtype)) if layer > 0 else z
        z = op.Add(op.MatMul(z, W), b)
    return z


def probabilities(op, z, model, c):
    """Return the probabilities of logits, as in `core.losses`."""
    e, t = model.settings_["label_smoothing"], model.temperature_
    if model.out_activation_ == "softmax":
        if e > 0:
            z = op.Log(unsmoothed(op, op.Softmax(z, axis=1), c, e, model.n_outputs_))
        return op.Softmax(op.Div(z, c(t)), axis=1)
    if e > 0:
        yes, no = (op.Log(unsmoothed(op, op.Sigmoid(q), c, e, 2)) for q in (z, op.Neg(z)))
        z = op.Sub(yes, no)
    z = op.Div(z, c(t))
    yes = op.Sigmoid(z)
    return yes if is_multilabel(model) else op.Concat(op.Sigmoid(op.Neg(z)), yes, axis=1)


def unsmoothed(op, q, c, e, k):
    """Return what is proportional to the probabilities behind smoothed ones, of k answers."""
    p = op.Max(op.Div(op.Sub(q, c(e / k)), c(1 - e)), c(0))
    return op.Add(p, op.Mul(c(0.01 * e), op.Add(q, c(1 / k))))


def numbers(op, z, model):
    """Return the predictions of the network's outputs, in float64, as `NumberTargets.decode`."""
    targets = NumberTargets.of_fitted(vars(model))
    z = op.Cast(op.Exp(z) if model.out_activation_ == "exp" else z, to=DOUBLE)
    z = op.Add(op.Mul(z, targets.scale), targets.center)
    if len(levels_of(targets.options)) > 1:
        z, _ = op.TopK(z, np.array([model.n_outputs_]), axis=1, largest=0)  # in ascending order
    return z


def encode(op, X, encoder):
    """Return what `NumericalEncoder.transform` does, for X in float64."""
    center = np.zeros_like(encoder.center_) if encoder._fitted_sparse else encoder.center_
    u = op.Sub(X, center)
    is_usual = op.Less(op.Abs(u), encoder.gross_)  # false for a missing value
    u = op.Div(u, encoder.scale_)
    limit = np.array([LIMIT])
    clipped = op.Div(u, op.Sqrt(op.Add(np.ones(1), op.Mul(op.Div(u, limit), op.Div(u, limit)))))
    binary = op.Max(op.Min(u, limit), -limit)
    z = op.Where(encoder.is_binary_, binary, clipped)
    filler = np.zeros(1) if encoder.imputer_ is None else np.full(1, np.nan)
    z = op.Cast(op.Where(is_usual, z, filler), to=FLOAT)
    if encoder.imputer_ is not None:
        z = imputed(op, encoder.imputer_, z)
    columns, encoded = [z], encoder._encoded()
    if encoded:
        edges = [encoder.edges_[j] for j in encoded]
        of_feature = np.repeat(encoded, [len(e) - 1 for e in edges])
        low = np.concatenate([e[:-1] for e in edges])
        width = np.concatenate([np.diff(e) for e in edges])
        step = op.Div(op.Sub(op.Gather(z, of_feature, axis=1), low), width)
        step = op.Min(op.Max(step, np.zeros(1, np.float32)), np.ones(1, np.float32))
        twice = op.Mul(step, np.full(1, 2 * ENCODED, np.float32))
        columns.append(op.Sub(twice, np.full(1, ENCODED, np.float32)))
    if encoder.has_missing_.any():
        with_missing = op.Gather(X, np.flatnonzero(encoder.has_missing_), axis=1)
        indicator = op.Cast(op.IsNaN(with_missing), to=FLOAT)
        columns.append(op.Mul(indicator, np.full(1, ENCODED, np.float32)))
    return op.Concat(*columns, axis=1)


def imputed(op, imputer, z):
    """Return z with each missing value replaced by the mean of its nearest donors.

    A distance is that of `sklearn.metrics.pairwise.nan_euclidean_distances`, computed from matrix
    products over the features that both rows have. Only rows with missing values are computed.
    """
    donors = imputer._fit_X.astype(np.float64)
    has = ~np.isnan(donors)
    filled = np.where(has, donors, 0)
    zero, is_missing = np.zeros(1), op.Cast(op.IsNaN(z), to=FLOAT)
    incomplete = op.Greater(
        op.ReduceMaxAnyOpset(is_missing, np.array([1]), keepdims=0), np.zeros(1, np.float32)
    )
    rows = op.Reshape(op.NonZero(incomplete), np.array([-1]))
    x = op.Cast(op.Gather(z, rows, axis=0), to=DOUBLE)
    lacks = op.IsNaN(x)
    x0, here = op.Where(lacks, zero, x), op.Where(lacks, zero, np.ones(1))
    squares = op.Sub(
        op.Add(op.MatMul(op.Mul(x0, x0), has.T.astype(float)), op.MatMul(here, filled.T**2)),
        op.MatMul(x0, 2 * filled.T),
    )
    n_common = op.MatMul(here, has.T.astype(float))
    apart = op.Where(op.Greater(n_common, zero), op.Div(squares, n_common), np.full(1, np.inf))
    columns = []
    for j, known in enumerate(has.T):
        candidates = np.flatnonzero(known) if known.any() else np.array([0])
        values = filled[candidates, j]
        distance, nearest = op.TopK(
            op.Gather(apart, candidates, axis=1),
            np.array([min(imputer.n_neighbors, len(values))]),
            axis=1,
            largest=0,
        )
        weight = op.Where(op.Less(distance, np.full(1, np.inf)), np.ones(1), zero)
        total = op.ReduceSumAnyOpset(weight, np.array([1]), keepdims=1)
        mean = op.Div(
            op.ReduceSumAnyOpset(
                op.Mul(weight, op.Gather(values, nearest)), np.array([1]), keepdims=1
            ),
            total,
        )
        columns.append(op.Where(op.Greater(total, zero), mean, values.mean(keepdims=True)))
    replaced = op.Cast(op.Where(lacks, op.Concat(*columns, axis=1), x), to=FLOAT)
    z = op.ScatterND(z, op.Reshape(rows, np.array([-1, 1])), replaced)
    return op.Where(has.any(axis=0), z, np.zeros(1, np.float32))  # 0 where there are no donors
