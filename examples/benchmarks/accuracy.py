"""Test error, log-loss, calibration, AUC and seconds with the defaults, beside other classifiers.

    SKNUMPYNET_DATA=DIR python examples/benchmarks/accuracy.py [--cv] [--realmlp] [--realmlp-td]
        [--skorch] [--scalers StandardScaler none] [--efforts 0.25 2] [--sets NAME ...]
        [--seeds 3] [--jobs 2] [--set name=value ...] [--output FILE] [--figure FILE]

DIR/tabular holds NAME.npz with X, y, train_idx and test_idx. Sets of more than 12,000 training rows
are cut to 12,000 of them, and missing values are replaced by the training median. All methods are
trained one after the other in the same process, on one core, so that their seconds compare.
Geometric means count an error below 0.002 as 0.002.

ours        a NumericalEncoder and NumpyMLPClassifier; --scalers and --efforts add others
sk, skes    a StandardScaler and MLPClassifier; with early_stopping=True
hgb         HistGradientBoostingClassifier
rmlp, td    pytabkit's RealMLP-TD-S and RealMLP-TD (pip install torch pytabkit)
skorch      a StandardScaler and a network such as skorch's users write (pip install torch skorch):
            two layers of 256 units and ReLU, AdamW with a rate of 0.001, minibatches of 128 rows,
            at most 200 epochs, stopped early after 10 without progress on a fifth of the rows

--cv does not use the test parts: it trains on three quarters of each training part and scores on
the rest. Use it to try things; --set changes a hyper-parameter. --output writes all results as
JSON.
"""

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before NumPy is imported, here and in the worker processes

import argparse  # noqa: E402
import ast  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402
from functools import partial  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
import report  # noqa: E402
from joblib import Parallel, delayed  # noqa: E402
from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: E402
from sklearn.metrics import log_loss, roc_auc_score  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402
from sklearn.neural_network import MLPClassifier  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import FunctionTransformer, StandardScaler  # noqa: E402

from sknumpynet import NumericalEncoder, NumpyMLPClassifier  # noqa: E402

MOST_ROWS = 12_000
SCALERS = {"StandardScaler": StandardScaler, "none": None}


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


def calibration_error(proba, y):
    """Return the expected calibration error of the predicted classes, in 15 equal intervals."""
    confidence, right = proba.max(axis=1), proba.argmax(axis=1) == y
    interval = np.minimum((confidence * 15).astype(int), 14)
    return sum(abs(np.sum((confidence - right)[interval == k])) for k in range(15)) / len(y)


def score(path, makers, seed, cv):
    """Return a row of `report.WHAT` for each method, trained on the same rows in this process."""
    warnings.simplefilter("ignore")  # convergence, and what peers warn of
    X, y, X_test, y_test = load(path, seed, cv)
    rows = []
    for make in makers.values():
        model = make(random_state=seed)
        start = time.perf_counter()
        model.fit(X, y)
        seconds = time.perf_counter() - start
        proba = np.asarray(model.predict_proba(X_test), np.float64)
        proba /= proba.sum(axis=1, keepdims=True)
        error = np.mean(proba.argmax(axis=1) != y_test)
        loss = log_loss(y_test, proba, labels=np.arange(proba.shape[1]))
        auc = roc_auc_score(
            y_test,
            proba[:, 1] if proba.shape[1] == 2 else proba,
            multi_class="ovr",
            labels=np.unique(y_test),
        )
        rows.append([error, loss, calibration_error(proba, y_test), auc, seconds])
    return rows


def draw(results, path):
    """Save a figure of error against fit time of the methods."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
    means = {}
    for method in (m for m in results if not m.startswith("scaler")):
        columns = (report.scores(results, method, what) for what in ("seconds", "error"))
        means[method] = tuple(np.exp(np.mean(np.log(column))) for column in columns)
    ours = sorted(means[m] for m in results if m.startswith(("ours", "effort")))
    axes.plot(*zip(*ours, strict=True), color="tab:blue")
    for method, point in means.items():
        axes.plot(*point, "o", color="tab:blue" if point in ours else "tab:gray")
        label = report.NAMES.get(method, method)
        axes.annotate(label, point, xytext=(7, 5), textcoords="offset points")
    axes.set(
        xscale="log",
        xlabel="seconds to fit on one core (geometric mean)",
        ylabel="error (geometric mean)",
        title=f"{len(results['ours'])} tabular sets, default settings",
    )
    axes.margins(0.15)
    figure.savefig(path, dpi=110)


def scaled(scaler, classifier, random_state):
    """Return a classifier, behind a scaler unless that is None."""
    model = classifier(random_state=random_state)
    return model if scaler is None else make_pipeline(scaler(), model)


def realmlp(name, random_state):
    """Return one of pytabkit's classifiers, on one core."""
    import pytabkit  # needs PyTorch

    make = getattr(pytabkit, name)
    return make("cpu", random_state=random_state, n_threads=1, verbosity=0)


def skorch_network(random_state):
    """Return a StandardScaler and skorch's classifier with a usual network."""
    import skorch
    import torch

    class Network(torch.nn.Sequential):
        def __init__(self, n_features=1, n_classes=2):
            super().__init__(
                torch.nn.Linear(n_features, 256),
                torch.nn.ReLU(),
                torch.nn.Linear(256, 256),
                torch.nn.ReLU(),
                torch.nn.Linear(256, n_classes),
            )

    class SetSizes(skorch.callbacks.Callback):
        def on_train_begin(self, net, X, y):
            net.set_params(module__n_features=X.shape[1], module__n_classes=y.max() + 1)

    torch.manual_seed(random_state)
    network = skorch.NeuralNetClassifier(
        Network,
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        lr=0.001,
        batch_size=128,
        max_epochs=200,
        iterator_train__shuffle=True,
        callbacks=[SetSizes(), skorch.callbacks.EarlyStopping(patience=10, load_best=True)],
        verbose=0,
    )
    to_float32 = FunctionTransformer(np.float32)
    return make_pipeline(StandardScaler(), to_float32, network)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cv", action="store_true", help="score within the training parts")
    parser.add_argument("--realmlp", action="store_true", help="run RealMLP-TD-S, of pytabkit")
    parser.add_argument("--realmlp-td", action="store_true", help="run RealMLP-TD, of pytabkit")
    parser.add_argument("--skorch", action="store_true", help="run a network of skorch")
    parser.add_argument("--sets", nargs="*", help="the sets to run; default: all")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2, help="processes, each on one core")
    parser.add_argument("--efforts", nargs="*", type=float, default=[], help="other efforts to run")
    parser.add_argument("--scalers", nargs="*", choices=SCALERS, default=[], help="other scalers")
    parser.add_argument("--output", type=Path, help="JSON file of all results")
    parser.add_argument("--figure", type=Path, help="draw error against time")
    parser.add_argument("--set", nargs="*", default=[], help="hyper-parameters, as name=value")
    arguments = parser.parse_args()
    directory = Path(os.environ.get("SKNUMPYNET_DATA", ""))
    paths = [p for p in sorted((directory / "tabular").glob("*.npz")) if "sparse" not in p.stem]
    paths = [path for path in paths if not arguments.sets or path.stem in arguments.sets]
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

    ours = partial(NumpyMLPClassifier, **settings)
    makers = {"ours": partial(scaled, NumericalEncoder, ours)}
    for effort in arguments.efforts:
        makers[f"effort {effort:g}"] = partial(
            scaled, NumericalEncoder, partial(ours, effort=effort)
        )
    for name in arguments.scalers:
        makers[f"scaler {name}"] = partial(scaled, SCALERS[name], ours)
    early = partial(MLPClassifier, early_stopping=True)
    makers["sk"] = partial(scaled, StandardScaler, MLPClassifier)
    makers["skes"] = partial(scaled, StandardScaler, early)
    makers["hgb"] = HistGradientBoostingClassifier
    if arguments.realmlp:
        makers["rmlp"] = partial(realmlp, "RealMLP_TD_S_Classifier")
    if arguments.realmlp_td:
        makers["td"] = partial(realmlp, "RealMLP_TD_Classifier")
    if arguments.skorch:
        makers["skorch"] = skorch_network
    jobs = [(path, seed) for path in paths for seed in range(arguments.seeds)]
    rows = Parallel(arguments.jobs, batch_size=1)(
        delayed(score)(path, makers, seed, arguments.cv) for path, seed in jobs
    )
    results = report.by_method(rows, makers, [path.stem for path in paths], report.WHAT)
    about = (
        f"{report.versions()}, {arguments.jobs} processes of one core; {arguments.seeds} seeds; "
        f"{'within the training parts' if arguments.cv else 'test parts'}"
    )
    print(about)
    tables = [report.per_set(results, what) for what in report.WHAT]
    for text in (
        *tables,
        report.relative(results),
        report.summary(results),
        report.comparison(results),
    ):
        print(f"\n{text}")
    if arguments.output:
        report.save(arguments.output, about, results)
    if arguments.figure:
        draw(results, arguments.figure)


if __name__ == "__main__":
    main()
