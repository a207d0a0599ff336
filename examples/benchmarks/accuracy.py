"""Test error, log-loss and seconds with the defaults, beside other classifiers.

    SKNUMPYNET_DATA=DIR python examples/benchmarks/accuracy.py [--cv] [--scaler standard]
        [--peers] [--realmlp] [--jobs 2] [--efforts 0.25 2] [--figure FILE] [--set name=value ...]

DIR/tabular holds NAME.npz with X, y, train_idx and test_idx; DIR/peers.json holds, for each set and
method, [test error, test log-loss, seconds]; its seconds are of another machine and not used. Sets
of more than 12,000 training rows are cut to 12,000 of them, missing values are replaced by the
training median, and one core trains. Geometric means count an error below 0.002 as 0.002.

--scaler skew puts a SkewAwareScaler in front instead of a StandardScaler; with none, X stays raw.
--cv does not use the test parts: it trains on three quarters of each training part and scores on
the rest. Use it to try things; --set changes a hyper-parameter.
"""

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before NumPy is imported, here and in the worker processes

import argparse  # noqa: E402
import ast  # noqa: E402
import json  # noqa: E402
import platform  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402
from functools import partial  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
import sklearn  # noqa: E402
from joblib import Parallel, delayed  # noqa: E402
from sklearn.exceptions import ConvergenceWarning  # noqa: E402
from sklearn.metrics import log_loss  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402
from sklearn.neural_network import MLPClassifier  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

import sknumpynet  # noqa: E402
from sknumpynet import NumpyMLPClassifier, SkewAwareScaler  # noqa: E402

MOST_ROWS = 12_000
WHAT = "error", "log-loss", "seconds"
LEAST = 0.002
SCALERS = {"standard": StandardScaler(), "skew": SkewAwareScaler(), "none": "passthrough"}


def load(path, seed, cv):
    """Return X, y to train on and X, y to score on."""
    file = np.load(path)
    X, y, train, test = file["X"], file["y"], file["train_idx"], file["test_idx"]
    if len(train) > MOST_ROWS:
        train = np.random.default_rng(0).permutation(train)[:MOST_ROWS]
    X = np.where(np.isnan(X), np.nanmedian(X[train], axis=0), X)
    if cv:
        train, test = train_test_split(train, test_size=0.25, stratify=y[train], random_state=seed)
    return X[train], y[train], X[test], y[test]


def score(path, make, seed, cv, scaler):
    """Return [error, log-loss, seconds] of one training."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    X, y, X_test, y_test = load(path, seed, cv)
    model = make_pipeline(SCALERS[scaler], make(random_state=seed))
    start = time.perf_counter()
    model.fit(X, y)
    seconds = time.perf_counter() - start
    proba = model.predict_proba(X_test)
    error = np.mean(proba.argmax(axis=1) != y_test)
    return [error, log_loss(y_test, proba, labels=np.arange(proba.shape[1])), seconds]


def run(paths, make, arguments):
    """Return {set: [error, log-loss, seconds]}, means over the seeds."""
    jobs = [(path, seed) for path in paths for seed in range(arguments.seeds)]
    rows = Parallel(arguments.jobs, batch_size=1)(
        delayed(score)(path, make, seed, arguments.cv, arguments.scaler) for path, seed in jobs
    )
    means = np.reshape(rows, (len(paths), arguments.seeds, 3)).mean(axis=1)
    return {path.stem: list(row) for path, row in zip(paths, means, strict=True)}


def geometric_means(scores, names):
    """Return the geometric means over the sets of error, log-loss and seconds."""
    return np.exp(np.mean([np.log(np.maximum(scores[name], LEAST)) for name in names], axis=0))


def draw(results, names, path):
    """Save a figure of error against fit time of the methods that were run."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
    means = {method: geometric_means(scores, names) for method, scores in results.items()}
    curve = sorted(v[[2, 0]].tolist() for m, v in means.items() if m.startswith(("ours", "effort")))
    axes.plot(*zip(*curve, strict=True), color="tab:blue")
    for method, (error, _, seconds) in means.items():
        if np.isfinite(seconds):
            color = "tab:blue" if [seconds, error] in curve else "tab:gray"
            axes.plot(seconds, error, "o", color=color)
            axes.annotate(method, (seconds, error), xytext=(7, 5), textcoords="offset points")
    axes.set(
        xscale="log",
        xlabel="seconds to fit on one core (geometric mean)",
        ylabel="error (geometric mean)",
        title=f"{len(names)} tabular sets, default settings",
    )
    axes.margins(0.15)
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cv", action="store_true", help="score within the training parts")
    parser.add_argument(
        "--scaler", choices=SCALERS, default="standard", help="in front of each model"
    )
    parser.add_argument("--peers", action="store_true", help="rerun scikit-learn's MLPClassifier")
    parser.add_argument("--realmlp", action="store_true", help="rerun RealMLP-TD-S, of pytabkit")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2, help="processes, each on one core")
    parser.add_argument("--efforts", nargs="*", type=float, default=[], help="other efforts to run")
    parser.add_argument("--figure", type=Path, help="draw error against time")
    parser.add_argument("--set", nargs="*", default=[], help="hyper-parameters, as name=value")
    arguments = parser.parse_args()
    directory = Path(os.environ.get("SKNUMPYNET_DATA", ""))
    paths = [p for p in sorted((directory / "tabular").glob("*.npz")) if "sparse" not in p.stem]
    if "SKNUMPYNET_DATA" not in os.environ or not paths:
        raise SystemExit(
            "No data: set SKNUMPYNET_DATA to a directory whose tabular/ holds NAME.npz files of X, "
            "y, train_idx and test_idx, for instance made from sets of openml.org."
        )

    settings = {}
    for pair in arguments.set:
        name, _, text = pair.partition("=")
        is_word = text.isidentifier() and text.islower()  # unlike True, False and None
        settings[name] = text if is_word else ast.literal_eval(text)

    def realmlp(random_state):
        from pytabkit import RealMLP_TD_S_Classifier  # needs PyTorch

        return RealMLP_TD_S_Classifier("cpu", random_state=random_state, n_threads=1, verbosity=0)

    makers = {"ours": partial(NumpyMLPClassifier, **settings)}
    for effort in arguments.efforts:
        makers[f"effort {effort:g}"] = partial(NumpyMLPClassifier, effort=effort, **settings)
    if arguments.cv or arguments.peers:
        makers |= {"sk": MLPClassifier, "skes": partial(MLPClassifier, early_stopping=True)}
    if arguments.realmlp:
        makers["rmlp"] = realmlp
    names = [path.stem for path in paths]
    results = {method: run(paths, make, arguments) for method, make in makers.items()}
    if not arguments.cv:
        peers = json.loads((directory / "peers.json").read_text())
        for method in peers[names[0]]:
            scores = {name: [*peers[name][method][:2], np.nan] for name in names}
            results.setdefault(method, scores)

    print(
        f"sknumpynet {sknumpynet.__version__}, numpy {np.__version__}, scikit-learn "
        f"{sklearn.__version__}, {platform.machine()}, {arguments.jobs} processes of one core; "
        f"{arguments.seeds} seeds; {'within the training parts' if arguments.cv else 'test parts'}"
    )
    print("\n| set | " + " | ".join(f"{m} {w}" for m in results for w in WHAT) + " |")
    print("|---" * (1 + 3 * len(results)) + "|")
    for name in names:
        cells = [f"{value:.4g}" for scores in results.values() for value in scores[name]]
        print(f"| {name} | " + " | ".join(cells) + " |")
    print("\n| ours / other, geometric mean | error | log-loss | seconds |\n|---|---|---|---|")
    for method in list(results)[1:]:
        values = geometric_means(results["ours"], names) / geometric_means(results[method], names)
        print(f"| {method} | " + " | ".join(f"{value:.3f}" for value in values) + " |")
    worst = {
        n: results["ours"][n][0] / min(results[m][n][0] for m in ("sk", "skes")) for n in names
    }
    print("\nerror divided by that of the better of sk and skes, worst first:")
    for name in sorted(worst, key=worst.get, reverse=True):
        print(f"    {name} {worst[name]:.2f}")
    if arguments.figure:
        draw(results, names, arguments.figure)


if __name__ == "__main__":
    main()
