"""Conversion to ONNX: what skl2onnx needs to know of the classifier and of the encoder.

Needs ``pip install "sknumpynet[onnx]"``. The graphs compute what `predict`, `predict_proba` and
`transform` do: label smoothing is undone, and the temperature is applied. The parameters keep their
dtype. Each activation is written in the basic operators of ONNX, which also work in float64.
"""

import numpy as np
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import (
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
    guess_proto_type,
)
from skl2onnx.proto import onnx_proto

from sknumpynet.classifier import NumpyMLPClassifier
from sknumpynet.graphs import ACTIVATIONS, DOUBLE, FLOAT, encode, probabilities
from sknumpynet.preprocessing import NumericalEncoder
from sknumpynet.reading import encoding_of

PROTO = {np.dtype(np.float32): FLOAT, np.dtype(np.float64): DOUBLE}


def register():
    """Teach skl2onnx to convert `NumpyMLPClassifier` and `NumericalEncoder`.

    Call it once before ``skl2onnx.to_onnx`` or ``convert_sklearn``.

    Examples
    --------
    >>> import numpy as np
    >>> from onnxruntime import InferenceSession
    >>> from skl2onnx import to_onnx
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sknumpynet import NumericalEncoder, NumpyMLPClassifier, onnx
    >>> X, y = load_iris(return_X_y=True)
    >>> model = make_pipeline(NumericalEncoder(), NumpyMLPClassifier(random_state=0)).fit(X, y)
    >>> onnx.register()
    >>> graph = to_onnx(model, X[:1].astype(np.float32), options={"zipmap": False})
    >>> session = InferenceSession(graph.SerializeToString())
    >>> labels, probabilities = session.run(None, {"X": X.astype(np.float32)})
    >>> bool(np.allclose(probabilities, model.predict_proba(X), atol=1e-5))
    True
    """
    update_registered_converter(
        NumpyMLPClassifier,
        "SknumpynetNumpyMLPClassifier",
        classifier_shapes,
        convert_classifier,
        overwrite=True,
        options={"zipmap": [True, False, "columns"], "output_class_labels": [False, True]},
    )
    update_registered_converter(
        NumericalEncoder,
        "SknumpynetNumericalEncoder",
        encoder_shapes,
        convert_encoder,
        overwrite=True,
    )


def classifier_shapes(operator):
    """Set the types and shapes of the labels and of the probabilities."""
    model, given = operator.raw_operator, operator.inputs[0]
    n, k = given.get_first_dimension(), len(model.classes_)
    multilabel, kind = encoding_of(model).multilabel, model.classes_.dtype.kind
    if kind not in "biuUSO":
        raise ValueError(
            f"classes_ of dtype {model.classes_.dtype} cannot be converted: ONNX labels are "
            "integers or strings. Train with such labels."
        )
    label = Int64TensorType if kind in "biu" else StringTensorType
    proba = DoubleTensorType if isinstance(given.type, DoubleTensorType) else FloatTensorType
    operator.outputs[0].type = label([n, k] if multilabel else [n])
    operator.outputs[1].type = proba([n, k])


def encoder_shapes(operator):
    """Set the type and the shape of the encoded features."""
    n_columns = len(operator.raw_operator.get_feature_names_out())
    operator.outputs[0].type = FloatTensorType(
        [operator.inputs[0].get_first_dimension(), n_columns]
    )


def convert_classifier(scope, operator, container):
    """Add the nodes of `predict` and `predict_proba`."""
    op, model = container.get_op_builder(scope), operator.raw_operator
    dtype, integer = model.params_.dtype, onnx_proto.TensorProto.INT64
    activation = ACTIVATIONS[model.settings_["activation"]]
    z = op.Cast(operator.inputs[0].full_name, to=PROTO[dtype])
    for layer, (W, b) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        z = activation(op, z, lambda c: np.array([c], dtype)) if layer > 0 else z
        z = op.Add(op.MatMul(z, W), b)
    answers = op.Cast(op.Greater(z, np.zeros(1, dtype)), to=integer)
    if encoding_of(model).multilabel:
        label = answers
    else:
        code = op.ArgMax(z, axis=1, keepdims=0)
        if model.out_activation_ == "logistic":
            code = op.Reshape(answers, np.array([-1]))
        label = op.Gather(constant(scope, container, model.classes_), code)
    container.add_node("Identity", [label], [operator.outputs[0].full_name])
    wide = guess_proto_type(operator.outputs[1].type)
    real = np.float64 if wide == DOUBLE else np.float32
    p = probabilities(op, op.Cast(z, to=wide), model, lambda c: np.array([c], real))
    container.add_node("Identity", [p], [operator.outputs[1].full_name])


def constant(scope, container, classes):
    """Add the classes as an initializer, and return its name."""
    name = scope.get_unique_variable_name("classes")
    if classes.dtype.kind in "biu":
        kind, values = onnx_proto.TensorProto.INT64, classes.astype(np.int64).tolist()
    else:
        kind, values = onnx_proto.TensorProto.STRING, [str(c).encode() for c in classes]
    container.add_initializer(name, kind, [len(values)], values)
    return name


def convert_encoder(scope, operator, container):
    """Add the nodes of `transform`."""
    op, encoder = container.get_op_builder(scope), operator.raw_operator
    X = op.Cast(operator.inputs[0].full_name, to=DOUBLE)  # the features are scaled in float64
    result = encode(op, X, encoder)
    container.add_node("Identity", [result], [operator.outputs[0].full_name])
