"""Prequential accuracy of `partial_fit`: predict the next 100 rows of a stream, then learn them.

    SKNUMPYNET_DATA=DIR python examples/benchmarks/streaming.py [--rows 10000] [--seeds 3]
        [--output FILE]

DIR/tabular holds NAME.npz with X, y and train_idx. The stream is the training part in random order,
standardised by what was seen so far.
"""

import argparse
import os
from functools import partial
from pathlib import Path

import numpy as np
import report
from sklearn.linear_model import SGDClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from sknumpynet import NumpyMLPClassifier

SETS = "electricity", "adult", "letter", "phoneme"
CHUNK = 100
MODELS = {
    "ours": NumpyMLPClassifier,
    "ours, sgd": partial(NumpyMLPClassifier, solver="sgd"),
    "MLPClassifier": MLPClassifier,
    "SGDClassifier": SGDClassifier,
}


def load(directory, name, n_rows):
    """Return X and y of a stream, missing values replaced by the median."""
    file = np.load(directory / "tabular" / f"{name}.npz")
    rows = np.random.default_rng(0).permutation(file["train_idx"])[:n_rows]
    X = file["X"][rows]
    return np.where(np.isnan(X), np.nanmedian(X, axis=0), X), file["y"][rows]


def prequential_accuracy(model, X, y):
    """Return the fraction of rows that were predicted before they were learnt."""
    scaler, classes, n_right = StandardScaler(), np.unique(y), 0
    for start in range(0, len(X), CHUNK):
        X_next, y_next = X[start : start + CHUNK], y[start : start + CHUNK]
        if start > 0:
            n_right += (model.predict(scaler.transform(X_next)) == y_next).sum()
        scaler.partial_fit(X_next)
        model.partial_fit(scaler.transform(X_next), y_next, classes=classes)
    return n_right / (len(X) - CHUNK)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000, help="the longest stream")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--output", help="JSON file to write")
    arguments = parser.parse_args()
    if "SKNUMPYNET_DATA" not in os.environ:
        raise SystemExit("No data: set SKNUMPYNET_DATA to a directory; see this file's docstring.")
    directory = Path(os.environ["SKNUMPYNET_DATA"])
    results = {}
    for name in SETS:
        X, y = load(directory, name, arguments.rows)
        accuracy = {
            model: np.mean(
                [prequential_accuracy(make(random_state=s), X, y) for s in range(arguments.seeds)]
            )
            for model, make in MODELS.items()
        }
        results[name] = {"rows": len(X), "accuracy": accuracy}
    about = f"{report.versions()}; means of {arguments.seeds} seeds"
    report.publish(arguments.output, about, results, report.streams)


if __name__ == "__main__":
    main()
