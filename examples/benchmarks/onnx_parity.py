"""Models as ONNX beside the originals: differences, sizes, and the time of a prediction.

    pip install -e ".[onnx,test]"
    SKNUMPYNET_DATA=DIR python examples/benchmarks/onnx_parity.py [--output FILE]

DIR/mnist holds the four IDX files, DIR/tabular NAME.npz with X, y, train_idx and test_idx. Images
are divided by 255, tables go through a NumericalEncoder. "float64" is the network alone with
``dtype='float64'``, on encoded features of that type. Both runtimes have one thread.
"""

import argparse
import io
import os
import time
import warnings
from pathlib import Path

import joblib
import numpy as np
import onnxruntime
import report
import skl2onnx
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skops import io as skops_io
from threadpoolctl import threadpool_limits

from sknumpynet import NumericalEncoder, NumpyMLPClassifier, onnx
from sknumpynet.datasets import fetch_mnist

TABLES = "adult", "covtype20k", "german_credit", "letter", "phoneme", "vehicle"


def load(directory, name):
    """Return X and y to train on, and X to predict, all as float32."""
    if name == "mnist":
        X, y = fetch_mnist(directory / name, subset="train", return_X_y=True)
        X_test = fetch_mnist(directory / name, subset="test").data
        return X / np.float32(255), y, X_test / np.float32(255)
    file = np.load(directory / "tabular" / f"{name}.npz")
    X, y = file["X"].astype(np.float32), file["y"]
    train, test = file["train_idx"][:12_000], file["test_idx"]
    return X[train], y[train], X[test]


def session_of(model, X):
    """Return the model as bytes, and a function that predicts with onnxruntime."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = skl2onnx.to_onnx(model, X[:1], options={"zipmap": False}).SerializeToString()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return graph, lambda X: session.run(None, {name: X})


def microseconds(call, X, times):
    """Return the median time of a call."""
    call(X)
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        call(X)
        seconds.append(time.perf_counter() - start)
    return 1e6 * np.median(seconds)


def compare(model, X):
    """Return the largest difference of a probability, and how many labels differ."""
    graph, run = session_of(model, X)
    labels, proba = run(X)
    difference = float(np.abs(proba - model.predict_proba(X)).max())
    return graph, run, difference, int((labels != model.predict(X)).sum())


def row(directory, name):
    """Return the figures of a data set."""
    X, y, X_test = load(directory, name)
    front = NumericalEncoder() if name != "mnist" else FunctionTransformer()
    settings = {"effort": 0.25, "random_state": 0}
    model = make_pipeline(front, NumpyMLPClassifier(**settings)).fit(X, y)
    graph, run, difference, n_labels = compare(model, X_test)
    wide = model[:-1].transform(X_test).astype(np.float64)
    double = NumpyMLPClassifier(dtype="float64", **settings)
    double.fit(model[:-1].transform(X).astype(np.float64), y)
    saved = io.BytesIO()
    joblib.dump(model, saved)
    return {
        "rows": len(X_test),
        "float32": difference,
        "other labels": n_labels,
        "float64": compare(double, wide)[2],
        "ONNX, kB": len(graph) / 1024,
        "skops, kB": len(skops_io.dumps(model)) / 1024,
        "joblib, kB": len(saved.getvalue()) / 1024,
        "1 row, us": microseconds(model.predict_proba, X_test[:1], 200),
        "ONNX, us": microseconds(run, X_test[:1], 200),
        "1000 rows, us": microseconds(model.predict_proba, X_test[:1000], 20),
        "ONNX, us ": microseconds(run, X_test[:1000], 20),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", help="JSON file to write")
    arguments = parser.parse_args()
    if "SKNUMPYNET_DATA" not in os.environ:
        raise SystemExit("No data: set SKNUMPYNET_DATA to a directory; see this file's docstring.")
    directory = Path(os.environ["SKNUMPYNET_DATA"])
    onnx.register()
    with threadpool_limits(1):
        results = {name: row(directory, name) for name in ("mnist", *TABLES)}
    about = (
        f"{report.versions()}, skl2onnx {skl2onnx.__version__}, "
        f"onnxruntime {onnxruntime.__version__}; medians"
    )
    report.publish(arguments.output, about, results, report.parity)


if __name__ == "__main__":
    main()
