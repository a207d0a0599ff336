"""Test accuracy on MNIST, 784-256-10, ten epochs, three seeds.

python examples/benchmarks/mnist.py [--data-dir DIR]
"""

import argparse
import platform
import time

import numpy as np
import sklearn

import sknumpynet
from sknumpynet import NumpyMLPClassifier
from sknumpynet.datasets import fetch_mnist


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data-dir", help="directory with the IDX files of MNIST")
    data_dir = parser.parse_args().data_dir
    X, y = fetch_mnist(data_dir, subset="train", return_X_y=True)
    X_test, y_test = fetch_mnist(data_dir, subset="test", return_X_y=True)
    X, X_test = X / np.float32(255), X_test / np.float32(255)
    print(
        f"sknumpynet {sknumpynet.__version__}, numpy {np.__version__}, scikit-learn "
        f"{sklearn.__version__}, {platform.machine()}; n = {len(y)}"
    )
    for seed in range(3):
        model = NumpyMLPClassifier(256, random_state=seed)
        start = time.perf_counter()
        for _ in range(10):
            model.partial_fit(X, y, classes=np.arange(10))
        seconds = time.perf_counter() - start
        print(f"seed {seed}: {model.score(X_test, y_test):.2%} test accuracy, {seconds:.1f} s")


if __name__ == "__main__":
    main()
