"""`TabularEncoder` as nodes of an ONNX graph."""

import numpy as np
from skl2onnx.common.data_types import (
    BooleanTensorType,
    Int32TensorType,
    Int64TensorType,
    StringTensorType,
    guess_proto_type,
)

from sknumpynet.onnx.graphs import DOUBLE, INT64, encode
from sknumpynet.preprocessing.values import CATEGORY, CODE, NUMBER

# Inputs that can be categories: others have no exact names of their levels.
ACCEPTED = StringTensorType, BooleanTensorType, Int32TensorType, Int64TensorType


def convert_tabular_encoder(scope, operator, container):
    """Add the nodes of `TabularEncoder.transform`, with an input for each column of the table."""
    op, encoder = container.get_op_builder(scope), operator.raw_operator
    columns = columns_of(op, operator.inputs)
    check_columns(encoder, columns)
    kinds, parts = encoder.kinds_, []
    pairs = zip(kinds, columns, strict=True)
    numbers = [name for kind, (name, _) in pairs if kind in (NUMBER, CODE)]
    if numbers:
        X = op.Concat(*(op.Cast(name, to=DOUBLE) for name in numbers), axis=1)
        parts.append(encode(op, X, encoder.numerical_))
    with_levels = zip(encoder._with_levels(), encoder.levels_, encoder.tables_, strict=True)
    for j, known, table in with_levels:
        name, given = columns[j]
        if kinds[j] == CODE:
            position = positions_of_numbers(op, name, known)
        elif table.shape[1]:
            position = positions(op, name, given, known)
        else:  # a single level has no column
            continue
        parts.append(op.Gather(table, position))
    result = op.Cast(op.Concat(*parts, axis=1), to=guess_proto_type(operator.outputs[0].type))
    container.add_node("Identity", [result], [operator.outputs[0].full_name])


def columns_of(op, inputs):
    """Return the name and the type of each column; one input may have several."""
    columns = []
    for given in inputs:
        n = given.type.shape[1] if len(given.type.shape) > 1 else 1
        whole = given.full_name
        names = [whole] if n == 1 else [op.Gather(whole, np.array([j]), axis=1) for j in range(n)]
        columns.extend((name, given.type) for name in names)
    return columns


def check_columns(encoder, columns):
    """Raise an error if the columns are not those of the encoder, or cannot be converted."""
    if len(columns) != encoder.n_features_in_:
        raise ValueError(
            f"TabularEncoder has seen {encoder.n_features_in_} columns in fit, and the inputs have "
            f"{len(columns)}: declare an input for each, in their order."
        )
    for j, (kind, (_, given)) in enumerate(zip(encoder.kinds_, columns, strict=True)):
        if kind not in (NUMBER, CODE, CATEGORY):
            raise NotImplementedError(
                f"Column {j} has {kind}s, which ONNX does not know: replace it by numbers before "
                "training."
            )
        if kind == CATEGORY and not isinstance(given, ACCEPTED):
            raise NotImplementedError(
                f"Column {j} has categories, and an input of {type(given).__name__} is declared: "
                "declare it as strings, integers or booleans, for instance StringTensorType."
            )


def positions(op, values, given, known):
    """Return the positions of levels in the known ones, (n,); behind the last if it is another.

    Parameters
    ----------
    values : str
        Name of a column, (n, 1). An empty string is a missing value, unless it is a level.
    given : type of skl2onnx
        Its type.
    known : list of (str or None)
    """
    position = {level: k for k, level in enumerate(known)}
    if isinstance(given, StringTensorType):
        keys = {"": position[None]} if None in position else {}
        keys |= {level: k for level, k in position.items() if level is not None}
        attribute = "keys_strings"
    else:
        values = op.Cast(values, to=INT64)
        named = {"False": 0, "True": 1} if isinstance(given, BooleanTensorType) else whole(known)
        keys = {number: position[level] for level, number in named.items() if level in position}
        attribute = "keys_int64s"
    if not keys:
        raise NotImplementedError(
            f"The levels {known} are no values of {type(given).__name__}: declare the input as "
            "StringTensorType, or as BooleanTensorType for False and True."
        )
    return look_up(op, values, attribute, keys, len(known))


def positions_of_numbers(op, values, known):
    """Return the positions of whole numbers in the known levels, (n,); behind the last of others.

    Parameters
    ----------
    values : str
        Name of a column, (n, 1).
    known : list of (str or None)
    """
    values = op.Reshape(op.Cast(values, to=DOUBLE), np.array([-1]))
    number = op.Cast(values, to=INT64)
    position = {level: k for k, level in enumerate(known)}
    keys = {value: position[level] for level, value in whole(known).items()}
    found = look_up(op, number, "keys_int64s", keys, len(known))
    other, missing = np.array([len(known)]), np.array([position.get(None, len(known))])
    found = op.Where(op.Equal(op.Cast(number, to=DOUBLE), values), found, other)
    return op.Where(op.IsNaN(values), missing, found)


def look_up(op, values, attribute, keys, default):
    """Return the positions of values, (n,), by a node of which an attribute holds the keys."""
    attributes = {attribute: list(keys), "values_int64s": list(keys.values())}
    result = op.scope.get_unique_variable_name("positions")
    name = op.scope.get_unique_operator_name("LabelEncoder")
    op.container.add_node(
        "LabelEncoder",
        [values],
        [result],
        op_domain="ai.onnx.ml",
        op_version=2,
        name=name,
        default_int64=default,
        **attributes,
    )
    return op.Reshape(result, np.array([-1]))


def whole(known):
    """Return the numbers of the levels that are integers."""
    texts = [level for level in known if level is not None]
    return {text: int(text) for text in texts if text.removeprefix("-").isdecimal()}
