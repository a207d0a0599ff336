"""Training on a Dask cluster: the costs of a step and of a round trip, and accuracy by averaging.

    pip install -e ".[dask,examples]"
    SKNUMPYNET_DATA=DIR python examples/benchmarks/cluster.py [--passes 10] [--output FILE]
        [--figure FILE]

DIR/mnist holds the four IDX files of MNIST, which is trained on in blocks of 2,000 images: by
`partial_fit` in this process, on one core, and by both modes of DaskNumpyMLPClassifier on local
clusters. From the measured costs follows how long a pass would take on 2 to 256 workers.
"""

import argparse
import os
import time
import warnings
from pathlib import Path

import dask.array as da
import numpy as np
import report
from distributed import Client, wait
from threadpoolctl import threadpool_limits

from sknumpynet import NumpyMLPClassifier
from sknumpynet.dask import DaskNumpyMLPClassifier
from sknumpynet.datasets import fetch_mnist

BLOCK = 2000
WORKERS = 2, 4
SIMULATED = 2 ** np.arange(1, 9)


def clock(call):
    start = time.perf_counter()
    result = call()
    return result, time.perf_counter() - start


def local_fit(X, y, passes):
    """Train in this process, in the order of the streaming mode."""
    model, rng = NumpyMLPClassifier(random_state=0), np.random.RandomState(0)
    starts = np.arange(0, len(X), BLOCK)
    for _ in range(passes):
        for start in starts[rng.permutation(len(starts))]:
            rows = slice(start, start + BLOCK)
            model.partial_fit(X[rows], y[rows], classes=np.arange(10))
    return model


def start_cluster(n_workers):
    options = {"processes": True, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    return Client(n_workers=n_workers, **options)


def costs(client, model, X, y):
    """Return the seconds of a block, of a task, and of moving a network to a task and back."""
    rows = slice(0, BLOCK)
    blocks = [clock(lambda: model.partial_fit(X[rows], y[rows]))[1] for _ in range(20)]
    tasks, trips = [], []
    for k in range(30):
        tasks.append(clock(lambda k=k: client.submit(pow, k, 2, pure=False).result())[1])
        trips.append(clock(lambda: client.submit(same, model, pure=False).result())[1])
    task = np.median(tasks)
    return {"block": np.median(blocks), "task": task, "transfer": np.median(trips) - task}


def same(model):
    return model


def simulate(costs, n_blocks, n_workers):
    """Return the seconds of a pass by streaming and by averaging.

    Streaming takes one block after the other, each with a task and a transfer from worker to
    worker. In averaging the workers train at the same time, and all networks go to the client and
    back, one after the other.
    """
    step = costs["block"] + costs["task"]
    streaming = n_blocks * (step + costs["transfer"] / 2)
    averaging = np.ceil(n_blocks / n_workers) * step + n_workers * costs["transfer"]
    return streaming, averaging


def draw(costs, path):
    """Save a figure of the simulated seconds of a pass."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 4.8), layout="constrained")
    for n_blocks, color in ((30, "tab:blue"), (3000, "tab:orange")):
        streaming, averaging = zip(*(simulate(costs, n_blocks, w) for w in SIMULATED), strict=True)
        rows = f"{n_blocks * BLOCK:,} rows"
        axes.plot(SIMULATED, streaming, "--", color=color, label=f"streaming, {rows}")
        axes.plot(SIMULATED, averaging, "-o", color=color, label=f"averaging, {rows}")
        axes.axhline(n_blocks * costs["block"], color=color, linestyle=":", label=f"local, {rows}")
    axes.set(xscale="log", yscale="log", xlabel="workers", ylabel="seconds of a pass, simulated")
    axes.set_xticks(SIMULATED, SIMULATED)
    axes.minorticks_off()
    figure.legend(loc="outside upper center", ncols=2)
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--passes", type=int, default=10)
    parser.add_argument("--output", help="JSON file to write")
    parser.add_argument("--figure", help="draw the simulation")
    arguments = parser.parse_args()
    if "SKNUMPYNET_DATA" not in os.environ:
        raise SystemExit("No data: set SKNUMPYNET_DATA to a directory; see this file's docstring.")
    directory = Path(os.environ["SKNUMPYNET_DATA"]) / "mnist"
    X, y = fetch_mnist(directory, subset="train", return_X_y=True)
    X_test, y_test = fetch_mnist(directory, subset="test", return_X_y=True)
    X, X_test = X / np.float32(255), X_test / np.float32(255)
    passes, rows = arguments.passes, {}

    def note(way, model, seconds):
        rows[way] = {"accuracy": model.score(X_test, y_test), "seconds": seconds}

    with threadpool_limits(1):  # as a worker has
        local, seconds = clock(lambda: local_fit(X, y, passes))
    note("partial_fit in one process", local, seconds)
    blocks = da.from_array(X, (BLOCK, X.shape[1])), da.from_array(y, BLOCK)
    for n_workers in WORKERS:
        for mode in ("streaming", "averaging"):
            with start_cluster(n_workers) as client, warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the blocks travel with the graph
                data = client.persist(blocks)
                wait(data)
                model = DaskNumpyMLPClassifier(mode=mode, max_iter=passes, random_state=0)
                model, seconds = clock(lambda model=model, data=data: model.fit(*data))
                note(f"{mode}, {n_workers} workers", model, seconds)
                if mode == "streaming":
                    rows[f"{mode}, {n_workers} workers"]["same bits"] = bool(
                        np.array_equal(model.params_, local.params_)
                    )
                with threadpool_limits(1):
                    measured = costs(client, model.to_local(), X, y)
    results = {"passes": passes, "ways": rows, "costs": measured}
    about = f"{report.versions()}, {os.cpu_count()} cores; {passes} passes; the default network"
    report.publish(arguments.output, about, results, report.cluster)
    if arguments.figure:
        draw(measured, arguments.figure)


if __name__ == "__main__":
    main()
