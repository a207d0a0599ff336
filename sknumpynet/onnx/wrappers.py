"""Conversion to ONNX of scikit-learn's wrappers, where they wrap this package's estimators.

For some wrappers skl2onnx's own converters give other results than scikit-learn does: they take
probabilities for the logits of a pipeline or a search, do not interpolate in isotonic calibration,
and choose labels of one-vs-rest by probability. The converters below compute in float64 what
scikit-learn does, or raise an error. Wrappers of other classifiers are left to skl2onnx, and so are
those of regressors, except where it would write wrong results.
"""

from functools import partial

import numpy as np
from skl2onnx._parse import _parse_sklearn
from skl2onnx.common._registration import get_converter, register_converter
from skl2onnx.common.data_types import guess_proto_type
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.pipeline import Pipeline

from sknumpynet.classifier import NumpyMLPClassifier
from sknumpynet.estimator import NetworkEstimator
from sknumpynet.onnx.graphs import DOUBLE, INT64, constant, labels_of, logits, probabilities

f64 = partial(np.full, 1, dtype=np.float64)


def register_wrappers():
    """Replace the converters of wrappers; their options, and the shapes of outputs, stay."""
    for model, convert in CONVERTERS.items():
        options = OTHERS[model].get_allowed_options()
        register_converter(f"Sklearn{model.__name__}", convert, overwrite=True, options=options)


def unwrapped(estimator):
    """Return the transformers in front of a classifier, and the classifier itself."""
    match estimator:
        case FrozenEstimator():
            return unwrapped(estimator.estimator)
        case GridSearchCV() | RandomizedSearchCV():
            return unwrapped(estimator.best_estimator_)
        case Pipeline():
            *front, (_, last) = estimator.steps
            inner, classifier = unwrapped(last)
            front = [step for _, step in front if step not in (None, "passthrough")]
            return front + inner, classifier
    return [], estimator


def is_ours(estimator):
    """Tell whether the classifier inside pipelines and searches is this package's."""
    return isinstance(unwrapped(estimator)[1], NumpyMLPClassifier)


def logits_of(scope, op, estimator, inputs):
    """Return the logits in float64, (n, n_outputs), and the classifier that they belong to."""
    front, classifier = unwrapped(estimator)
    for transformer in front:
        inputs = _parse_sklearn(scope, transformer, inputs)
    return op.Cast(logits(op, inputs[0].full_name, classifier), to=DOUBLE), classifier


def write(op, operator, label, score):
    """Make these results the outputs."""
    score = op.Cast(score, to=guess_proto_type(operator.outputs[1].type))
    for result, output in zip((label, score), operator.outputs, strict=True):
        op.container.add_node("Identity", [result], [output.full_name])


def convert_calibrated(scope, operator, container):
    """Add the nodes of `CalibratedClassifierCV`: the mean of its members' probabilities."""
    members, op = operator.raw_operator.calibrated_classifiers_, container.get_op_builder(scope)
    if not all(is_ours(member.estimator) for member in members):
        convert_checked(scope, operator, container)
        return
    parts = [
        calibrated(op, member, *logits_of(scope, op, member.estimator, operator.inputs))
        for member in members
    ]
    mean = op.Div(op.Sum(*parts), f64(len(parts)))
    classes = constant(op, labels_of(scope, operator.raw_operator))
    write(op, operator, op.Gather(classes, op.ArgMax(mean, axis=1, keepdims=0)), mean)


def calibrated(op, member, z, classifier):
    """Return the calibrated probabilities of logits, (n, n_classes)."""
    k, calibrators = len(member.classes), member.calibrators
    if member.method == "temperature":
        z = op.Concat(op.Neg(z), z, axis=1) if classifier.n_outputs_ == 1 else z
        return op.Softmax(op.Mul(z, f64(calibrators[0].beta_)), axis=1)
    predict = sigmoid if member.method == "sigmoid" else isotonic
    columns = [
        predict(op, calibrator, op.Gather(z, np.array([j]), axis=1))
        for j, calibrator in enumerate(calibrators)
    ]
    if k == 2:
        return op.Concat(op.Sub(np.ones(1), columns[0]), columns[0], axis=1)
    # A class that a member has not seen has probability 0.
    positions = np.searchsorted(member.classes, classifier.classes_)[: len(columns)]
    p = op.MatMul(op.Concat(*columns, axis=1), np.eye(k)[positions])
    total = op.ReduceSumAnyOpset(p, np.array([1]), keepdims=1)
    return op.Where(op.Greater(total, np.zeros(1)), op.Div(p, total), f64(1 / k))


def sigmoid(op, calibrator, z):
    """Return s(-(a z + b))."""
    return op.Sigmoid(op.Neg(op.Add(op.Mul(z, f64(calibrator.a_)), f64(calibrator.b_))))


def isotonic(op, calibrator, z):
    """Interpolate linearly between thresholds, as `numpy.interp` does; constant outside."""
    x, y = np.asarray(calibrator.X_thresholds_, float), np.asarray(calibrator.y_thresholds_, float)
    z = op.Max(z, x[:1])
    n_below = op.ReduceSumAnyOpset(
        op.Cast(op.LessOrEqual(x, z), to=INT64), np.array([1]), keepdims=1
    )
    interval = op.Sub(n_below, np.array([1]))
    slopes = np.append(np.diff(y) / np.diff(x), 0.0)
    low, start, slope = (op.Gather(values, interval) for values in (x, y, slopes))
    return op.Add(op.Mul(slope, op.Sub(z, low)), start)


def convert_one_vs_rest(scope, operator, container):
    """Add the nodes of `OneVsRestClassifier`: logits decide, and probabilities are normalised."""
    model, op = operator.raw_operator, container.get_op_builder(scope)
    if not all(map(is_ours, model.estimators_)):
        convert_checked(scope, operator, container)
        return
    members = [logits_of(scope, op, member, operator.inputs) for member in model.estimators_]
    z = op.Concat(*(z for z, _ in members), axis=1)
    p = op.Concat(*(probabilities(op, z, member, f64) for z, member in members), axis=1)
    p = op.Gather(p, np.arange(1, 2 * len(members), 2), axis=1)  # of the second of two classes
    if len(members) == 1:
        z, p = op.Concat(op.Neg(z), z, axis=1), op.Concat(op.Sub(np.ones(1), p), p, axis=1)
    if model.multilabel_:
        label = op.Cast(op.Greater(z, np.zeros(1)), to=INT64)
    else:
        label = op.Gather(constant(op, labels_of(scope, model)), op.ArgMax(z, axis=1, keepdims=0))
        p = op.Div(p, op.ReduceSumAnyOpset(p, np.array([1]), keepdims=1))
    use_logits = container.get_options(model, {"raw_scores": False})["raw_scores"]
    write(op, operator, label, z if use_logits else p)


def contains_ours(estimator):
    """Tell whether a network of this package is anywhere inside."""
    inside = estimator.get_params().values()
    return any(isinstance(value, NetworkEstimator) for value in (estimator, *inside))


def convert_checked(scope, operator, container):
    """Leave a wrapper to skl2onnx, unless it would give wrong labels or scores."""
    model = operator.raw_operator
    problem = problem_of(model) if contains_ours(model) else None
    if problem is not None:
        raise NotImplementedError(
            f"{type(model).__name__} of networks cannot be converted {problem}"
        )
    OTHERS[type(model)](scope, operator, container)


def problem_of(model):
    """Return what skl2onnx converts wrongly, and a remedy, or None."""
    members = getattr(model, "estimators_", ())
    match model:
        case BaggingRegressor(n_features_in_=n) if np.ndim(model.predict(np.zeros((1, n)))) > 1:
            return "with several outputs: use MultiOutputRegressor of it."
        case VotingClassifier(weights=w) | VotingRegressor(weights=w) if np.size(w) > len(members):
            return "with weights of dropped estimators: remove them from its estimators."
        case BaggingRegressor() | VotingRegressor():
            return None
        case CalibratedClassifierCV():
            return "with other wrappers inside: calibrate the classifiers that they contain."
        case OneVsRestClassifier(multilabel_=False) if hasattr(model, "decision_function"):
            return "with other wrappers inside: put OneVsRestClassifier inside of them."
        case OneVsOneClassifier():
            return "with its votes: use OneVsRestClassifier, or NumpyMLPClassifier alone."
        case TunedThresholdClassifierCV(best_threshold_=t):
            return f"with its threshold: convert estimator_, and compare probabilities with {t}."
        case StackingClassifier() if {*model.stack_method_} != {"predict_proba"}:
            return f"with stack_method_={model.stack_method_}: use stack_method='predict_proba'."
        case BaggingClassifier(n_classes_=k) if any(len(m.classes_) < k for m in members):
            return "with members that have not seen all classes: raise max_samples."
    classes = model.classes_
    kind = classes.dtype.kind
    if kind == "u" or (kind == "i" and (classes != classes.astype(np.int32)).any()):
        return f"with classes_={classes!r}: use strings or signed integers of 32 bits."
    return None


CHECKED = AdaBoostClassifier, BaggingClassifier, OneVsOneClassifier, StackingClassifier
CHECKED += TunedThresholdClassifierCV, VotingClassifier, BaggingRegressor, VotingRegressor
CONVERTERS = dict.fromkeys(CHECKED, convert_checked) | {
    CalibratedClassifierCV: convert_calibrated,
    OneVsRestClassifier: convert_one_vs_rest,
}
# The converters of skl2onnx.
OTHERS = {model: get_converter(f"Sklearn{model.__name__}") for model in CONVERTERS}
