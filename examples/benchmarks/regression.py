"""RMSE and seconds of the regressors with their defaults, or how well they predict quantiles.

    SKNUMPYNET_DATA=DIR python examples/benchmarks/regression.py [--cv] [--others] [--quantiles]
        [--sets NAME ...] [--seeds 3] [--jobs 2] [--set name=value ...] [--output FILE]

DIR/regression holds NAME.npz with X, y, train_idx and test_idx. Sets of more than 12,000 training
rows are cut to 12,000 of them, and missing values are replaced by the training median. All methods
are trained one after the other in the same process, on one core, so that their seconds compare.

ours    a NumericalEncoder and NumpyMLPRegressor
sk      a StandardScaler and MLPRegressor
skt     the same in a TransformedTargetRegressor(transformer=StandardScaler())
hgb     HistGradientBoostingRegressor
lgbm, cat, rmlp
        with --others: LightGBM, CatBoost and pytabkit's RealMLP-TD-S
        (pip install lightgbm catboost torch pytabkit)

--quantiles compares the pinball loss at the levels 0.1, 0.5 and 0.9, and how many values are
within the outer two: of one NumpyMLPRegressor, and of three HistGradientBoostingRegressors.

--cv does not use the test parts: it trains on three quarters of each training part and scores on
the rest.
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
from sklearn.compose import TransformedTargetRegressor  # noqa: E402
from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: E402
from sklearn.metrics import mean_pinball_loss  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402
from sklearn.neural_network import MLPRegressor  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

from sknumpynet import NumericalEncoder, NumpyMLPRegressor  # noqa: E402

MOST_ROWS = 12_000
LEVELS = [0.1, 0.5, 0.9]


def load(path, seed, cv):
    """Return X, y to train on and X, y to score on."""
    file = np.load(path, allow_pickle=True)
    X, y, train, test = file["X"].astype(float), file["y"], file["train_idx"], file["test_idx"]
    if len(train) > MOST_ROWS:
        train = np.random.default_rng(0).permutation(train)[:MOST_ROWS]
    X = np.where(np.isnan(X), np.nanmedian(X[train], axis=0), X)
    if cv:
        train, test = train_test_split(train, test_size=0.25, random_state=seed)
    return X[train], y[train], X[test], y[test]


def ours(random_state, **settings):
    network = NumpyMLPRegressor(random_state=random_state, **settings)
    return make_pipeline(NumericalEncoder(), network)


def sk(random_state):
    return make_pipeline(StandardScaler(), MLPRegressor(random_state=random_state))


def skt(random_state):
    return TransformedTargetRegressor(sk(random_state), transformer=StandardScaler())


def lgbm(random_state):
    from lightgbm import LGBMRegressor

    return LGBMRegressor(random_state=random_state, n_jobs=1, verbose=-1)


def cat(random_state):
    from catboost import CatBoostRegressor

    return CatBoostRegressor(
        random_state=random_state, thread_count=1, verbose=0, allow_writing_files=False
    )


def rmlp(random_state):
    from pytabkit import RealMLP_TD_S_Regressor

    return RealMLP_TD_S_Regressor(random_state=random_state, device="cpu", n_threads=1)


def score(path, makers, seed, cv):
    """Return RMSE, R2 and seconds of each method, trained on the same rows in this process."""
    warnings.simplefilter("ignore")  # convergence, and what peers warn of
    X, y, X_test, y_test = load(path, seed, cv)
    rows = []
    for make in makers.values():
        model = make(random_state=seed)
        start = time.perf_counter()
        model.fit(X, y)
        seconds = time.perf_counter() - start
        mse = np.mean((np.ravel(model.predict(X_test)) - y_test) ** 2)
        rows.append([np.sqrt(mse), 1 - mse / np.var(y_test), seconds])
    return rows


def score_quantiles(path, seed, cv, settings):
    """Return the mean pinball loss, the coverage and the seconds, of ours and of `hgb`."""
    warnings.simplefilter("ignore")
    X, y, X_test, y_test = load(path, seed, cv)
    network = ours(seed, loss="quantile", quantile=LEVELS, **settings)
    trees = [HistGradientBoostingRegressor(loss="quantile", quantile=q) for q in LEVELS]
    rows = []
    for models in ([network], trees):
        start = time.perf_counter()
        predicted = np.column_stack([model.fit(X, y).predict(X_test) for model in models])
        seconds = time.perf_counter() - start
        losses = [
            mean_pinball_loss(y_test, column, alpha=level)
            for column, level in zip(predicted.T, LEVELS, strict=True)
        ]
        coverage = np.mean((predicted[:, 0] <= y_test) & (y_test <= predicted[:, 2]))
        rows.append([np.mean(losses), coverage, seconds])
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cv", action="store_true", help="score within the training parts")
    parser.add_argument("--others", action="store_true", help="LightGBM, CatBoost, RealMLP")
    parser.add_argument("--quantiles", action="store_true", help="compare quantiles")
    parser.add_argument("--sets", nargs="*", help="the sets to run; default: all")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2, help="processes, each on one core")
    parser.add_argument("--set", nargs="*", default=[], help="hyper-parameters, as name=value")
    parser.add_argument("--output", help="JSON file of all results")
    arguments = parser.parse_args()
    settings = dict(item.split("=", 1) for item in arguments.set)
    settings = {name: ast.literal_eval(value) for name, value in settings.items()}
    makers = {"ours": partial(ours, **settings), "sk": sk, "skt": skt}
    makers["hgb"] = HistGradientBoostingRegressor
    if arguments.others:
        makers |= {"lgbm": lgbm, "cat": cat, "rmlp": rmlp}
    directory = Path(os.environ["SKNUMPYNET_DATA"]) / "regression"
    paths = sorted(directory.glob("*.npz"))
    if arguments.sets:
        paths = [directory / f"{name}.npz" for name in arguments.sets]
    tasks = [(path, seed) for path in paths for seed in range(arguments.seeds)]
    if arguments.quantiles:
        methods, columns, make = ["ours", "hgb"], ["pinball loss", "coverage"], report.quantiles
        calls = (delayed(score_quantiles)(p, s, arguments.cv, settings) for p, s in tasks)
    else:
        methods, columns, make = list(makers), ["RMSE", "R2"], report.regression
        calls = (delayed(score)(p, makers, s, arguments.cv) for p, s in tasks)
    rows = Parallel(arguments.jobs)(calls)
    names = [path.stem for path in paths]
    results = report.by_method(rows, methods, names, [*columns, "seconds"])
    about = (
        f"{report.versions()}, {arguments.jobs} processes of one core; {arguments.seeds} seeds; "
        f"{'within the training parts' if arguments.cv else 'test parts'}"
    )
    report.publish(arguments.output, about, results, make)


if __name__ == "__main__":
    main()
