"""Which callables and arrays count as the same when a run goes on from a checkpoint."""

import json
import os
import subprocess
import sys
import threading
from functools import lru_cache, partial

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn import metrics
from sklearn.metrics import get_scorer, get_scorer_names, make_scorer

from sknumpynet.fit.identity import digest, identity_of_scoring


def enclosing(value):
    return lambda estimator, X, y: value


def with_default(value):
    def score(estimator, X, y, value=value):
        return value

    return score


def with_keyword(value):
    def score(estimator, X, y, *, value=value):
        return value

    return score


def calling_itself(value):
    def score(estimator, X, y):
        return score(estimator, X, y) if X is None else value

    return score


class Scorer:
    """A scorer with a setting."""

    def __init__(self, setting):
        self.setting = setting

    def __call__(self, estimator, X, y):
        return self.setting

    def method(self, estimator, X, y):
        return self.setting


def accuracy(y, predicted, *, factor=1):
    return factor * np.mean(y == predicted)


# All of these are different.
SCORERS = {
    "lambda": lambda estimator, X, y: 1.0,
    "other constant": lambda estimator, X, y: 2.0,
    "other type": lambda estimator, X, y: 1,
    "other sign": lambda estimator, X, y: -1.0,
    "other operation": lambda estimator, X, y: estimator.score(X, y),
    "other name": lambda estimator, X, y: estimator.metric(X, y),
    "other argument": lambda estimator, X, y, sample_weight=None: 1.0,
    "other name of an argument": lambda estimator, X, y, weight=None: 1.0,
    "lambda within": lambda estimator, X, y: (lambda: 1.0)(),
    "other lambda within": lambda estimator, X, y: (lambda: 2.0)(),
    "set": lambda estimator, X, y: y in {"a", "b", "c", "d"},
    "other set": lambda estimator, X, y: y in {"a", "b", "c", "e"},
    "encloses 1": enclosing(1),
    "encloses 2": enclosing(2),
    "encloses True": enclosing(True),
    "encloses a list": enclosing([1, 2]),
    "encloses a tuple": enclosing((1, 2)),
    "encloses a dict": enclosing({"a": 1}),
    "encloses a set": enclosing({"a", "b", "c"}),
    "encloses an array": enclosing(np.arange(3)),
    "encloses another array": enclosing(np.arange(4)),
    "encloses an array of objects": enclosing(np.array(["a", None], object)),
    "encloses a scalar": enclosing(np.float64(3)),
    "encloses a table": enclosing(pd.DataFrame({"a": [1, 2]})),
    "encloses another table": enclosing(pd.DataFrame({"a": [1, 3]})),
    "encloses a module": enclosing(np),
    "encloses a class": enclosing(Scorer),
    "encloses a function": enclosing(accuracy),
    "encloses a ufunc": enclosing(np.exp),
    "default": with_default(1),
    "other default": with_default(2),
    "keyword": with_keyword(1),
    "other keyword": with_keyword(2),
    "recursive": calling_itself(1),
    "other recursive": calling_itself(2),
    "object": Scorer(1),
    "other object": Scorer(2),
    "method": Scorer(1).method,
    "method of another object": Scorer(2).method,
    "partial": partial(accuracy, factor=2),
    "other partial": partial(accuracy, factor=3),
    "make_scorer": make_scorer(accuracy),
    "make_scorer of a lambda": make_scorer(lambda y, predicted: 1.0),
    "make_scorer of another lambda": make_scorer(lambda y, predicted: 2.0),
    "make_scorer, smaller is better": make_scorer(accuracy, greater_is_better=False),
    "make_scorer of probabilities": make_scorer(accuracy, response_method="predict_proba"),
    "make_scorer with an argument": make_scorer(accuracy, factor=2),
    "make_scorer of scikit-learn's metric": make_scorer(metrics.f1_score, average="macro"),
    "builtin": max,
    "cached": lru_cache(accuracy),
    **{f"scikit-learn's {name}": get_scorer(name) for name in get_scorer_names()},
}


def identities():
    return {name: identity_of_scoring(scoring) for name, scoring in SCORERS.items()}


def test_callables_that_differ_have_different_identities():
    found = identities()
    names = {}
    for name, identity in found.items():
        names.setdefault(identity, []).append(name)
    assert [same for same in names.values() if len(same) > 1] == []


@pytest.mark.parametrize("seed", ["0", "1"])
def test_a_callable_has_the_same_identity_in_another_process(seed):
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import test_identity as t, json; print(json.dumps(t.identities()))",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=os.path.dirname(__file__),
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert json.loads(done.stdout) == identities()


def test_a_name_is_its_own_identity():
    assert identity_of_scoring("roc_auc") == "'roc_auc'"


def local_object():
    class Local:
        def __call__(self, estimator, X, y):
            return 1.0

    return Local()


@pytest.mark.parametrize(
    "scoring",
    [
        enclosing(threading.Lock()),
        enclosing(x for x in "a"),
        local_object(),
        lru_cache(enclosing(1)),
    ],
)
def test_a_callable_that_cannot_be_compared_is_refused(scoring):
    message = (
        r"scoring=.* is not accepted with a Checkpoint, .*\. Use a function that encloses data"
    )
    with pytest.raises(ValueError, match=message):
        identity_of_scoring(scoring)


def test_the_digest_of_a_sparse_matrix_has_its_number_of_columns():
    entries = ([1.0, 2.0], [0, 1], [0, 1, 2])
    narrow, wide = (sparse.csr_array(entries, shape=(2, n)) for n in (2, 3))
    assert digest(narrow) != digest(wide)
    assert digest(narrow) == digest(narrow.copy())
