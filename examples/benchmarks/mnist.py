"""Test accuracy on MNIST of a 784-256-10 network, the architecture of the student project.

    python examples/benchmarks/mnist.py [--data-dir DIR] [--seeds 5] [--output FILE]

The network is trained in four ways: with the defaults; for 12 epochs on the images and on copies
shifted by one pixel; for three epochs; and for ten epochs with scikit-learn's defaults.
"""

import argparse
import os
import time

import numpy as np
import report

from sknumpynet import NumpyMLPClassifier
from sknumpynet.datasets import fetch_mnist

ONE_CYCLE = {
    "preset": "sklearn",
    "activation": "gelu",
    "learning_rate": "one_cycle",
    "learning_rate_init": 0.005,
    "beta_2": 0.98,
    "batch_size": 128,
    "label_smoothing": 0.1,
    "n_iter_no_change": np.inf,
}
WAYS = {
    "the defaults": {},
    "12 epochs with shifted copies": {**ONE_CYCLE, "max_iter": 12, "weight_decay": 0.1},
    "3 epochs": {**ONE_CYCLE, "max_iter": 3},
    "plain Adam, 10 epochs": {"preset": "sklearn", "max_iter": 10},
}


def with_shifted(X, y):
    """Return the images and four copies, each shifted by one pixel: down, up, right, left."""
    images = X.reshape(-1, 28, 28)
    shifts = (0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)
    copies = [np.roll(images, shift, axis=(1, 2)).reshape(X.shape) for shift in shifts]
    return np.concatenate(copies), np.tile(y, len(shifts))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    shared = os.environ.get("SKNUMPYNET_DATA")
    parser.add_argument(
        "--data-dir",
        default=shared and f"{shared}/mnist",
        help="directory with the IDX files of MNIST; default: mnist in that of SKNUMPYNET_DATA",
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--output", help="JSON file to write")
    arguments = parser.parse_args()
    X, y = fetch_mnist(arguments.data_dir, subset="train", return_X_y=True)
    X_test, y_test = fetch_mnist(arguments.data_dir, subset="test", return_X_y=True)
    X, X_test = X / np.float32(255), X_test / np.float32(255)
    results = {}
    for way, settings in WAYS.items():
        data = with_shifted(X, y) if "shifted" in way else (X, y)
        accuracy, seconds = [], []
        for seed in range(arguments.seeds):
            model = NumpyMLPClassifier((256,), random_state=seed, **settings)
            start = time.perf_counter()
            model.fit(*data)
            seconds.append(time.perf_counter() - start)
            accuracy.append(model.score(X_test, y_test))
        results[way] = {
            "epochs": model.n_iter_,
            "mean": np.mean(accuracy),
            "minimum": min(accuracy),
            "seconds": np.median(seconds),
        }
    about = f"{report.versions()}; n = {len(y)}, {arguments.seeds} seeds, median seconds"
    report.publish(arguments.output, about, results, report.mnist)


if __name__ == "__main__":
    main()
