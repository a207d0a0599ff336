"""Test error, log-loss and seconds on mixed tables, beside gradient boosting and other networks.

    SKNUMPYNET_DATA=DIR python examples/benchmarks/mixed.py [--cv] [--peers NAME ...]
        [--sets NAME ...] [--seeds 3] [--jobs 2] [--output FILE]

DIR/mixed holds NAME.csv.gz, with strings as strings, and NAME.json with the target, the rows of the
training and test parts and the kind of each column. At most 10,000 training and 20,000 test rows
are used. All methods are trained one after the other in the same process, on one core.

ours        TabularEncoder and NumpyMLPClassifier; text is encoded by skrub's StringEncoder
both        the same, the probabilities averaged with those of HistGradientBoostingClassifier
skrub       skrub's TableVectorizer, NumericalEncoder and NumpyMLPClassifier
sk          skrub's TableVectorizer, SimpleImputer, StandardScaler and MLPClassifier
hgb         HistGradientBoostingClassifier, with the commonest levels as categories
lgbm        LightGBM with categories (pip install lightgbm)
cat         CatBoost with categories and text (pip install catboost)
rmlp        pytabkit's RealMLP-TD-S with categories (pip install torch pytabkit)

--cv does not use the test parts: it trains on three quarters of each training part and scores on
the rest. --output writes all results as JSON.
"""

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before NumPy is imported, here and in the worker processes

import argparse  # noqa: E402
import json  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import report  # noqa: E402
import skrub  # noqa: E402
from joblib import Parallel, delayed  # noqa: E402
from sklearn.compose import make_column_transformer  # noqa: E402
from sklearn.ensemble import HistGradientBoostingClassifier, VotingClassifier  # noqa: E402
from sklearn.impute import SimpleImputer  # noqa: E402
from sklearn.metrics import log_loss  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402
from sklearn.neural_network import MLPClassifier  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import LabelEncoder, StandardScaler  # noqa: E402

from sknumpynet import NumericalEncoder, NumpyMLPClassifier, TabularEncoder  # noqa: E402

MOST_ROWS, MOST_TEST_ROWS = 10_000, 20_000
MOST_LEVELS = 255  # of HistGradientBoostingClassifier


def load(path, seed, cv):
    """Return X, y to train on and X, y to score on, and the names of the columns of text."""
    about = json.loads(path.with_suffix("").with_suffix(".json").read_text())
    kinds, target = about["kinds"], about["target"]
    dtype = {name: float if kind == "number" else str for name, kind in kinds.items()}
    options = {"keep_default_na": False, "na_values": [""], "dtype": dtype | {target: str}}
    X = pd.read_csv(path, **options)
    y, X = LabelEncoder().fit_transform(X[target]), X[list(kinds)]
    train, test = about["train_idx"], about["test_idx"][:MOST_TEST_ROWS]
    if len(train) > MOST_ROWS:
        train = np.random.default_rng(0).permutation(train)[:MOST_ROWS]
    if cv:
        train, test = train_test_split(train, test_size=0.25, stratify=y[train], random_state=seed)
    text = [name for name, kind in kinds.items() if kind == "text"]
    return X.iloc[train], y[train], X.iloc[test], y[test], text


def with_categories(X, others, most=None):
    """Return tables whose strings are categories, the commonest ones of the first table."""
    X, others = X.copy(), others.copy()
    for name in X.select_dtypes(exclude="number"):
        levels = X[name].value_counts().index[:most]
        X[name] = pd.Categorical(X[name], levels)
        others[name] = pd.Categorical(others[name], levels)
    return X, others


def ours(text, classifier):
    """Return our Pipeline, with the network or another classifier."""
    encode = TabularEncoder()
    if text:
        strings = [
            (make_pipeline(skrub.StringEncoder(), NumericalEncoder(0)), name) for name in text
        ]
        encode = make_column_transformer(*strings, remainder=encode)
    return make_pipeline(encode, classifier)


def vectorized(encode, network, seed):
    """Return a Pipeline with skrub's TableVectorizer."""
    return make_pipeline(skrub.TableVectorizer(), encode, network(random_state=seed))


def predict(method, X, y, others, text, seed):
    """Train a method, and return the probabilities of other rows."""
    options = {}
    match method:
        case "ours":
            model = ours(text, NumpyMLPClassifier(random_state=seed))
        case "both":
            trees = HistGradientBoostingClassifier(random_state=seed)
            averaged = [("network", NumpyMLPClassifier(random_state=seed)), ("trees", trees)]
            model = ours(text, VotingClassifier(averaged, voting="soft"))
        case "skrub":
            model = vectorized(NumericalEncoder(), NumpyMLPClassifier, seed)
        case "sk":
            scale = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
            model = vectorized(scale, MLPClassifier, seed)
        case "hgb":
            X, others = with_categories(X, others, MOST_LEVELS)
            model = HistGradientBoostingClassifier(
                categorical_features="from_dtype", random_state=seed
            )
        case "lgbm":
            import lightgbm

            X, others = with_categories(X, others)
            model = lightgbm.LGBMClassifier(n_jobs=1, random_state=seed, verbose=-1)
        case "cat":
            import catboost

            strings = [*X.select_dtypes(exclude="number")]
            X, others = (t.fillna(dict.fromkeys(strings, "missing")) for t in (X, others))
            model = catboost.CatBoostClassifier(thread_count=1, random_seed=seed, verbose=0)
            options["cat_features"] = [name for name in strings if name not in text]
            options["text_features"] = text or None
        case "rmlp":
            import pytabkit

            X, others = with_categories(X, others)
            model = pytabkit.RealMLP_TD_S_Classifier(
                "cpu", random_state=seed, n_threads=1, verbosity=0
            )
    return model.fit(X, y, **options).predict_proba(others)


def score(path, methods, seed, cv):
    """Return a row of `report.OF_TABLES` for each method, trained on the same rows."""
    warnings.simplefilter("ignore")  # convergence, and what peers warn of
    X, y, others, y_others, text = load(path, seed, cv)
    rows = []
    for method in methods:
        start = time.process_time()
        proba = np.asarray(predict(method, X, y, others, text, seed), np.float64)
        seconds = time.process_time() - start
        proba /= proba.sum(axis=1, keepdims=True)
        error = np.mean(proba.argmax(axis=1) != y_others)
        loss = log_loss(y_others, proba, labels=np.arange(proba.shape[1]))
        rows.append([error, loss, seconds])
    return rows


def encoding_seconds(path):
    """Return the seconds that TabularEncoder and TableVectorizer take to encode a training part."""
    X, y, _, _, text = load(path, 0, False)
    seconds = []
    for encoder in (TabularEncoder(), skrub.TableVectorizer()):
        start = time.process_time()
        encoder.fit_transform(X.drop(columns=text), y)
        seconds.append(time.process_time() - start)
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cv", action="store_true", help="score within the training parts")
    parser.add_argument("--sets", nargs="*", help="the sets to run; default: all")
    parser.add_argument("--peers", nargs="*", default=[*report.PEERS_OF_TABLES])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2, help="processes, each on one core")
    parser.add_argument("--output", type=Path, help="JSON file of all results")
    arguments = parser.parse_args()
    directory = Path(os.environ.get("SKNUMPYNET_DATA", ""), "mixed")
    paths = sorted(directory.glob("*.csv.gz"))
    paths = [p for p in paths if not arguments.sets or p.name.partition(".")[0] in arguments.sets]
    if "SKNUMPYNET_DATA" not in os.environ or not paths:
        raise SystemExit(
            "No data: set SKNUMPYNET_DATA to a directory whose mixed/ holds NAME.csv.gz and "
            "NAME.json with target, train_idx, test_idx and kinds."
        )
    methods = ["ours", *arguments.peers]
    jobs = [(path, seed) for path in paths for seed in range(arguments.seeds)]
    rows = Parallel(arguments.jobs, batch_size=1)(
        delayed(score)(path, methods, seed, arguments.cv) for path, seed in jobs
    )
    names = [path.name.partition(".")[0] for path in paths]
    results = report.by_method(rows, methods, names, report.OF_TABLES)
    about = (
        f"{report.versions()}, {arguments.jobs} processes of one core; {arguments.seeds} seeds; "
        f"{'within the training parts' if arguments.cv else 'test parts'}"
    )
    encoding = np.exp(np.mean(np.log([encoding_seconds(path) for path in paths]), axis=0))
    about += (
        f"; seconds to encode: TabularEncoder {encoding[0]:.2f}, TableVectorizer {encoding[1]:.2f}"
    )
    print(about)
    print(f"\n{report.mixed(results)}")
    if arguments.output:
        report.save(arguments.output, about, results)


if __name__ == "__main__":
    main()
