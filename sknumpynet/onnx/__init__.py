"""Conversion to ONNX: what skl2onnx needs to know of the networks and of the encoder.

Needs ``pip install "sknumpynet[onnx]"``. The graphs compute what `predict`, `predict_proba` and
`transform` do: label smoothing is undone, and the temperature is applied. The parameters keep their
dtype. Each activation is written in the basic operators of ONNX, which also work in float64.
"""

from functools import partial

import numpy as np
from skl2onnx import update_registered_converter
from skl2onnx._parse import _parse_sklearn_classifier, _parse_sklearn_simple_model
from skl2onnx.common.data_types import (
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
    guess_proto_type,
)

from sknumpynet.classifier import NumpyMLPClassifier
from sknumpynet.onnx.graphs import (
    DOUBLE,
    INT64,
    constant,
    encode,
    is_multilabel,
    labels_of,
    logits,
    numbers,
    probabilities,
)
from sknumpynet.onnx.tables import convert_tabular_encoder
from sknumpynet.onnx.wrappers import register_wrappers
from sknumpynet.preprocessing import NumericalEncoder, TabularEncoder
from sknumpynet.regressor import NumpyMLPRegressor


def register() -> None:
    """Teach skl2onnx to convert the networks and the encoders.

    Call it once before ``skl2onnx.to_onnx`` or ``convert_sklearn``. The regressor's output has a
    column for each number that it predicts, also if that is one. `TabularEncoder` has an input for
    each column of the table, where an empty string is a missing value. The classifier has
    skl2onnx's options: ``zipmap``, ``output_class_labels``, ``nocl`` for labels that are positions
    in `classes_`, and ``raw_scores`` for logits instead of probabilities, which for two classes are
    the negative and the positive value of `decision_function`.

    Where scikit-learn's wrappers contain the classifier, their conversion is replaced or checked,
    so that it gives scikit-learn's results or an error.

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
        parser=parse_classifier,
        options={
            "zipmap": [True, False, "columns"],
            "output_class_labels": [False, True],
            "nocl": [True, False],
            "raw_scores": [True, False],
        },
    )
    update_registered_converter(
        NumpyMLPRegressor,
        "SknumpynetNumpyMLPRegressor",
        regressor_shapes,
        convert_regressor,
        overwrite=True,
    )
    update_registered_converter(
        NumericalEncoder,
        "SknumpynetNumericalEncoder",
        encoder_shapes,
        convert_encoder,
        overwrite=True,
    )
    update_registered_converter(
        TabularEncoder,
        "SknumpynetTabularEncoder",
        encoder_shapes,
        convert_tabular_encoder,
        overwrite=True,
    )
    register_wrappers()


def parse_classifier(scope, model, inputs, custom_parsers=None):
    """Declare the outputs: labels, probabilities and, if they are asked for, the classes."""
    options = scope.get_options(model, {"zipmap": True, "output_class_labels": False})
    if options["zipmap"]:
        return _parse_sklearn_classifier(scope, model, inputs, custom_parsers)
    outputs = _parse_sklearn_simple_model(scope, model, inputs, custom_parsers)
    if options["output_class_labels"]:
        outputs.append(scope.declare_local_variable("class_labels", Int64TensorType()))
    return outputs


def classifier_shapes(operator):
    """Set the types and shapes of the labels, of the probabilities and of the classes."""
    model, given = operator.raw_operator, operator.inputs[0]
    n, k = given.get_first_dimension(), len(model.classes_)
    label, multilabel = Int64TensorType, is_multilabel(model)
    if isinstance(labels_of(operator.scope_inst, model)[0], str):
        label = StringTensorType
    types = label([n, k] if multilabel else [n]), real(given)([n, k]), label([k])
    for output, kind in zip(operator.outputs, types, strict=False):
        output.type = kind


def regressor_shapes(operator):
    """Set the type and the shape of the predictions."""
    given, model = operator.inputs[0], operator.raw_operator
    operator.outputs[0].type = real(given)([given.get_first_dimension(), model.n_outputs_])


def encoder_shapes(operator):
    """Set the type and the shape of the encoded features."""
    n_columns = len(operator.raw_operator.get_feature_names_out())
    types = [type(given.type) for given in operator.inputs]
    kind = DoubleTensorType if DoubleTensorType in types else FloatTensorType
    n = operator.inputs[0].get_first_dimension()
    operator.outputs[0].type = kind([n, n_columns])


def real(given):
    """Return the type of results for an input of this type, as skl2onnx's converters have it."""
    return DoubleTensorType if isinstance(given.type, DoubleTensorType) else FloatTensorType


def convert_classifier(scope, operator, container):
    """Add the nodes of `predict`, and of `predict_proba` or, as raw scores, the logits."""
    op, model = container.get_op_builder(scope), operator.raw_operator
    z = logits(op, features(op, operator), model)
    labels, multilabel = labels_of(scope, model), is_multilabel(model)
    classes = constant(op, labels)
    answers = op.Cast(op.Greater(z, np.zeros(1, model.params_.dtype)), to=INT64)
    if multilabel:
        label = answers
    elif model.out_activation_ == "logistic":
        label = op.Gather(classes, op.Reshape(answers, np.array([-1])))
    else:
        label = op.Gather(classes, op.ArgMax(z, axis=1, keepdims=0))
    to = guess_proto_type(operator.outputs[1].type)
    z = op.Cast(z, to=to)
    if container.get_options(model, {"raw_scores": False})["raw_scores"]:
        score = op.Concat(op.Neg(z), z, axis=1) if len(labels) == 2 and not multilabel else z
    else:
        dtype = np.float64 if to == DOUBLE else np.float32
        score = probabilities(op, z, model, partial(np.full, 1, dtype=dtype))
    for result, output in zip((label, score, classes), operator.outputs, strict=False):
        container.add_node("Identity", [result], [output.full_name])


def convert_regressor(scope, operator, container):
    """Add the nodes of `predict`."""
    op, model = container.get_op_builder(scope), operator.raw_operator
    predicted = numbers(op, logits(op, features(op, operator), model), model)
    result = op.Cast(predicted, to=guess_proto_type(operator.outputs[0].type))
    container.add_node("Identity", [result], [operator.outputs[0].full_name])


def features(op, operator):
    """Return the features: one input, or several, such as the columns of a data frame."""
    names = [given.full_name for given in operator.inputs]
    if len(names) == 1:
        return names[0]
    # They may be of different types, and float64 has the numbers of all.
    return op.Concat(*(op.Cast(name, to=DOUBLE) for name in names), axis=1)


def convert_encoder(scope, operator, container):
    """Add the nodes of `transform`."""
    op, encoder = container.get_op_builder(scope), operator.raw_operator
    X = op.Cast(features(op, operator), to=DOUBLE)  # the features are scaled in float64
    result = op.Cast(encode(op, X, encoder), to=guess_proto_type(operator.outputs[0].type))
    container.add_node("Identity", [result], [operator.outputs[0].full_name])
