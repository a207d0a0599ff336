"""Test error, log-loss and seconds on sparse features of texts.

    SKNUMPYNET_DATA=DIR python examples/benchmarks/text.py [--seeds 3] [--jobs 2] [--output FILE]

DIR/tabular and DIR/text hold NAME_sparse.npz, each with a CSR matrix (data, indices, indptr,
shape), y, train_idx and test_idx. All methods are trained one after the other in the same process,
on one core, with their defaults; seconds are those of the CPU.
"""

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before NumPy is imported, here and in the worker processes

import argparse  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
import report  # noqa: E402
from joblib import Parallel, delayed  # noqa: E402
from scipy.sparse import csr_matrix  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.metrics import log_loss  # noqa: E402
from sklearn.neural_network import MLPClassifier  # noqa: E402

from sknumpynet import NumpyMLPClassifier  # noqa: E402

MAKERS = {
    "ours": lambda seed: NumpyMLPClassifier(random_state=seed),
    "skes": lambda seed: MLPClassifier(early_stopping=True, random_state=seed),
    "lr": lambda seed: LogisticRegression(max_iter=1000, random_state=seed),
}


def score(path, seed):
    """Return a row of `report.OF_TABLES` for each method."""
    warnings.simplefilter("ignore")  # convergence
    saved = np.load(path)
    X = csr_matrix((saved["data"], saved["indices"], saved["indptr"]), shape=saved["shape"])
    y, train, test = saved["y"], saved["train_idx"], saved["test_idx"]
    rows = []
    for make in MAKERS.values():
        start = time.process_time()
        model = make(seed).fit(X[train], y[train])
        seconds = time.process_time() - start
        proba = model.predict_proba(X[test]).astype(np.float64)
        proba /= proba.sum(axis=1, keepdims=True)
        error = np.mean(model.predict(X[test]) != y[test])
        rows.append([error, log_loss(y[test], proba, labels=model.classes_), seconds])
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2, help="processes, each on one core")
    parser.add_argument("--output", type=Path, help="JSON file of all results")
    arguments = parser.parse_args()
    directory = Path(os.environ.get("SKNUMPYNET_DATA", ""))
    paths = [
        p for part in ("text", "tabular") for p in sorted(directory.glob(f"{part}/*_sparse.npz"))
    ]
    if "SKNUMPYNET_DATA" not in os.environ or not paths:
        raise SystemExit(
            "No data: set SKNUMPYNET_DATA to a directory whose tabular/ or text/ holds "
            "NAME_sparse.npz with data, indices, indptr, shape, y, train_idx and test_idx."
        )
    jobs = [(path, seed) for path in paths for seed in range(arguments.seeds)]
    rows = Parallel(arguments.jobs, batch_size=1)(delayed(score)(*job) for job in jobs)
    names = [path.stem.removesuffix("_sparse") for path in paths]
    results = report.by_method(rows, MAKERS, names, report.OF_TABLES)
    about = f"{report.versions()}, {arguments.jobs} processes of one core; {arguments.seeds} seeds"
    report.publish(arguments.output, about, results, report.text)


if __name__ == "__main__":
    main()
