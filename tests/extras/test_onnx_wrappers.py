"""scikit-learn's wrappers of the classifier convert to ONNX exactly, or with an error."""

import warnings

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification, make_multilabel_classification
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    ShuffleSplit,
    TunedThresholdClassifierCV,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline

from sknumpynet import NumericalEncoder, NumpyMLPClassifier

ort = pytest.importorskip("onnxruntime")
skl2onnx = pytest.importorskip("skl2onnx")

from sknumpynet import onnx  # noqa: E402

NETWORK = NumpyMLPClassifier(12, max_iter=12, random_state=0)
OTHER = NumpyMLPClassifier(6, activation="tanh", max_iter=12, random_state=1)
WIDE = NumpyMLPClassifier(12, max_iter=12, dtype="float64", random_state=0)
PIPELINE = make_pipeline(NumericalEncoder(), NETWORK)
GRID = GridSearchCV(PIPELINE, {"numpymlpclassifier__max_iter": [5, 12]}, cv=2)
RANDOM = RandomizedSearchCV(NETWORK, {"max_iter": [5, 12]}, n_iter=2, cv=2, random_state=0)
LINEAR = LogisticRegression()
TWO = [("a", NETWORK), ("b", OTHER), ("c", LINEAR)]
WRAPPERS = {
    "sigmoid": CalibratedClassifierCV(NETWORK, cv=3),
    "sigmoid, float64": CalibratedClassifierCV(WIDE, cv=3),
    "isotonic, float64": CalibratedClassifierCV(WIDE, method="isotonic", cv=3),
    "one calibrator": CalibratedClassifierCV(NETWORK, cv=3, ensemble=False),
    "isotonic, one": CalibratedClassifierCV(WIDE, method="isotonic", cv=3, ensemble=False),
    "random splits": CalibratedClassifierCV(NETWORK, cv=ShuffleSplit(2, random_state=0)),
    "calibrated pipeline": CalibratedClassifierCV(PIPELINE, cv=3),
    "calibrated passthrough": CalibratedClassifierCV(
        make_pipeline("passthrough", NumericalEncoder(), NETWORK), cv=2
    ),
    "calibrated search": CalibratedClassifierCV(GRID, cv=2),
    "calibrated random search": CalibratedClassifierCV(RANDOM, cv=2),
    "calibrated in a pipeline": make_pipeline(
        NumericalEncoder(), CalibratedClassifierCV(NETWORK, cv=3)
    ),
    "search over calibrated": GridSearchCV(
        CalibratedClassifierCV(NETWORK, cv=2), {"method": ["sigmoid"]}, cv=2
    ),
    "one-vs-rest": OneVsRestClassifier(NETWORK),
    "one-vs-rest of pipelines": OneVsRestClassifier(PIPELINE),
    "soft vote": VotingClassifier(TWO, voting="soft", flatten_transform=False),
    "weighted vote": VotingClassifier(
        TWO, voting="soft", weights=np.array([1, 3, 2]), flatten_transform=False
    ),
    "hard vote": VotingClassifier(TWO, flatten_transform=False),
    "stacking": StackingClassifier(TWO, cv=2),
    "stacked network": StackingClassifier(TWO, OTHER, cv=2, passthrough=True),
    "stacked pipeline": StackingClassifier([("a", PIPELINE), ("c", LINEAR)], cv=2),
    "bagging": BaggingClassifier(NETWORK, 3, max_features=0.5, random_state=0),
    "bagged pipelines": BaggingClassifier(PIPELINE, 2, random_state=0),
    "one-vs-rest of calibrated": OneVsRestClassifier(CalibratedClassifierCV(NETWORK, cv=2)),
    "vote of calibrated": VotingClassifier(
        [("a", CalibratedClassifierCV(PIPELINE, cv=2)), ("b", OneVsRestClassifier(NETWORK))],
        voting="soft",
        flatten_transform=False,
    ),
    "grid": GRID,
    "of another classifier": CalibratedClassifierCV(LINEAR, cv=3),
}
LARGE = np.array([0, 2**40, 2**41])


@pytest.fixture(scope="module", autouse=True)
def _registered():
    onnx.register()


def table(labels, dtype=np.float32):
    """Return rows, and noisy labels."""
    X, y = make_classification(
        240, 8, n_informative=6, n_classes=len(labels), flip_y=0.1, random_state=0
    )
    return X.astype(dtype), np.array(labels)[y]


def run(model, X, **options):
    """Convert a model for X of this dtype, and return what onnxruntime computes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of skl2onnx and onnx, about NumPy's and their own API
        graph = skl2onnx.to_onnx(model, X[:1], options={"zipmap": False, **options})
    session = ort.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"X": X})


def fitted(model, X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few epochs
        return model.fit(X, y)


@pytest.mark.parametrize(
    ("labels", "dtype"), [([0, 1], np.float64), (["a", "b", "c", "d"], np.float32)]
)
@pytest.mark.parametrize("name", WRAPPERS)
def test_a_wrapper_predicts_as_scikit_learn_does(name, dtype, labels):
    X, y = table(labels, dtype)
    model = fitted(WRAPPERS[name], X, y)
    predicted, scores = run(model, X)
    assert np.array_equal(predicted, model.predict(X))
    if name != "hard vote":
        assert np.abs(scores - model.predict_proba(X)).max() < 2e-6


@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "temperature"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_every_calibration_of_a_frozen_classifier(method, n_classes):
    X, y = table(list(range(n_classes)), np.float64)
    network = FrozenEstimator(fitted(WIDE, X[:120], y[:120]))
    try:
        model = CalibratedClassifierCV(network, method=method).fit(X[120:], y[120:])
    except ValueError:
        pytest.skip("this scikit-learn has no such calibration")
    predicted, proba = run(model, X)
    assert np.abs(proba - model.predict_proba(X)).max() < 1e-12
    assert np.array_equal(predicted, model.predict(X))


@pytest.mark.parametrize(
    "labels", [LARGE, np.arange(3, dtype=np.uint8), np.arange(2) > 0, LARGE.astype("U20")], ids=str
)
@pytest.mark.parametrize("name", ["sigmoid", "one-vs-rest"])
def test_wrappers_have_labels_of_any_kind(name, labels):
    X, y = table(labels)
    model = fitted(WRAPPERS[name], X, y)
    assert np.array_equal(run(model, X)[0], model.predict(X))
    assert np.array_equal(model.classes_[run(model, X, nocl=True)[0]], model.predict(X))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_raw_scores_of_one_vs_rest_are_logits(n_classes):
    X, y = table(list(range(n_classes)))
    model = fitted(WRAPPERS["one-vs-rest"], X, y)
    logits = model.decision_function(X)
    logits = np.column_stack([-logits, logits]) if n_classes == 2 else logits
    assert np.abs(run(model, X, raw_scores=True)[1] - logits).max() < 1e-5


def test_one_vs_rest_of_multilabel_targets():
    X, Y = make_multilabel_classification(200, 8, n_classes=3, random_state=0)
    X = X.astype(np.float32)
    for Y_ in (Y, np.column_stack([Y, np.zeros(len(Y), int)])):  # the last label never occurs
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = OneVsRestClassifier(NETWORK).fit(X, Y_)
        predicted, proba = run(model, X)
        assert np.array_equal(predicted, model.predict(X))
        assert np.abs(proba - model.predict_proba(X)).max() < 1e-6


def test_multi_output():
    X, y = table([0, 1, 2])
    Y = np.column_stack([y, y > 0])
    model = MultiOutputClassifier(NETWORK).fit(X, Y)
    predicted, proba = run(model, X)
    assert np.array_equal(predicted, model.predict(X))
    for ours, theirs in zip(proba, model.predict_proba(X), strict=True):
        assert np.abs(ours - theirs).max() < 1e-6


@pytest.mark.parametrize(
    ("model", "labels", "message"),
    [
        (OneVsOneClassifier(NETWORK), [0, 1, 2], "with its votes: use OneVsRest"),
        (TunedThresholdClassifierCV(NETWORK, cv=2), [0, 1], "convert estimator_"),
        (
            StackingClassifier([("a", PIPELINE)], cv=2, stack_method="decision_function"),
            [0, 1, 2],
            "use stack_method='predict_proba'",
        ),
        (
            StackingClassifier([("a", NETWORK)], cv=2, stack_method="predict"),
            [0, 1],
            "stack_method",
        ),
        (StackingClassifier([("a", NETWORK)], cv=2), LARGE, "signed integers of 32 bits"),
        (
            VotingClassifier([("a", NETWORK), ("b", "drop"), ("c", LINEAR)], weights=[1, 5, 2]),
            [0, 1],
            "remove them from its estimators",
        ),
        (VotingClassifier([("a", NETWORK)]), np.arange(2, dtype=np.uint8), "signed integers"),
        (
            CalibratedClassifierCV(OneVsRestClassifier(NETWORK), method="isotonic", cv=2),
            [0, 1, 2],
            "calibrate the classifiers that they contain",
        ),
        (
            OneVsRestClassifier(BaggingClassifier(NETWORK, 2, random_state=0)),
            [0, 1, 2],
            "put OneVsRestClassifier inside",
        ),
        (
            BaggingClassifier(PIPELINE, 2, max_samples=3, random_state=0),
            ["a", "b", "c", "d"],
            "raise max_samples",
        ),
        (BaggingClassifier(NETWORK, 2), LARGE, "signed integers of 32 bits"),
        (AdaBoostClassifier(NETWORK, n_estimators=2), LARGE, "signed integers of 32 bits"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_skl2onnx_converts_wrongly_is_refused(model, labels, message):
    X, y = table(labels)
    with pytest.raises(NotImplementedError, match=message):
        run(fitted(model, X, y), X)
