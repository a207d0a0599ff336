"""Wall and CPU seconds of fits and predictions with one and two threads of BLAS.

    python examples/benchmarks/threads.py [--busy 4]

--busy starts that many processes that keep the cores busy meanwhile.
"""

import argparse
import subprocess
import sys
import time

import numpy as np
import report
from threadpoolctl import threadpool_limits

from sknumpynet import NumpyMLPClassifier
from sknumpynet.core import blas

REPEATS = 3
# Rows, features, and parameters of the classifier.
FITS = {
    "4000 x 30": (4000, 30, {"effort": 0.15}),
    "6000 x 784": (6000, 784, {"effort": 0.1}),
    "2000 x 200": (2000, 200, {"effort": 0.2}),
    "two layers of 1024": (4000, 100, {"effort": 0.05, "hidden_layer_sizes": (1024, 1024)}),
    "batches of 2048": (20_000, 50, {"effort": 0.2, "batch_size": 2048}),
}


def measure(call, n_threads):
    """Return the median wall and CPU seconds of a call."""
    blas.SMALL_PRODUCT = np.inf if n_threads == 1 else 0
    seconds = []
    with threadpool_limits(n_threads):
        for _ in range(REPEATS):
            start = time.perf_counter(), time.process_time()
            call()
            seconds.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    return np.median(seconds, axis=0)


def calls(rng):
    """Return what is measured, by name."""
    for name, (n, d, parameters) in FITS.items():
        X = rng.randn(n, d).astype(np.float32)
        y = (X[:, 0] * X[:, 1] > 0).astype(int)
        model = NumpyMLPClassifier(random_state=0, **parameters)
        yield name, lambda model=model, X=X, y=y: model.fit(X, y)
    X = rng.randn(60_000, 784).astype(np.float32)
    fitted = NumpyMLPClassifier(max_iter=1, random_state=0).fit(X[:500], X[:500, 0] > 0)
    yield "predict_proba of 60,000 x 784", lambda: fitted.predict_proba(X)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--busy", type=int, default=0, help="processes that keep the cores busy")
    arguments = parser.parse_args()
    others = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(arguments.busy)
    ]
    try:
        rows = []
        for name, call in calls(np.random.RandomState(0)):
            one, two = measure(call, 1), measure(call, 2)
            rows.append([name, *(f"{a:.2f} / {b:.2f}" for a, b in zip(one, two, strict=True))])
        print(f"{report.versions()}; {REPEATS} repeats, {arguments.busy} busy processes\n")
        print(report.table(["one thread / two", "wall", "CPU"], rows))
    finally:
        for process in others:
            process.kill()


if __name__ == "__main__":
    main()
