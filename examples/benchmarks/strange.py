"""Unusual data: where do the defaults fall far short of MLPClassifier's?

    python examples/benchmarks/strange.py [--kinds NAME ...] [--seeds 3] [--jobs 2]
        [--methods NAME ...] [--output FILE]

Each kind of data is a generator, and each of its sizes is a case. All are made, so nothing is
loaded. Two of the methods are ours:

ours        a StandardScaler and NumpyMLPClassifier
encoded     a NumericalEncoder and NumpyMLPClassifier
sk          a StandardScaler and MLPClassifier
linear      a StandardScaler and LogisticRegression
hgb         HistGradientBoostingClassifier

A case falls short, for one of our methods, if the accuracy is more than 5 points below that of
MLPClassifier, or the log-loss exceeds 1.15 times the smaller of MLPClassifier's and that of
predicting the class frequencies, plus 0.03. Sparse X is scaled without centering.
HistGradientBoosting is left out for sparse X, and for more than 50 classes. Accuracy and log-loss
are means over the seeds: of 20 rows, a single draw tells little.
"""

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before NumPy is imported, here and in the worker processes

import argparse  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402

import numpy as np  # noqa: E402
import report  # noqa: E402
from joblib import Parallel, delayed  # noqa: E402
from scipy.sparse import csr_array, issparse  # noqa: E402
from sklearn.datasets import make_moons  # noqa: E402
from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.neural_network import MLPClassifier  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

from sknumpynet import NumericalEncoder, NumpyMLPClassifier  # noqa: E402

N_TEST = 1000

# A generator gets the number of training rows and a RandomState. It returns X and y, in which
# N_TEST test rows follow the training rows.


def cycled(n, k, rng):
    """Return n labels that take turns, and then N_TEST random ones."""
    return np.concatenate([np.arange(n) % k, rng.randint(k, size=N_TEST)])


def spectra(n, rng):
    """Four classes that differ by a peak at one of 700 wavelengths; a baseline and little noise."""
    t, y = np.linspace(0, 1, 700), cycled(n, 4, rng)
    peak = 0.06 * np.exp(-((t - 0.35 - 0.1 * np.arange(4)[:, None]) ** 2) / 3e-4)
    m = len(y)
    X = (1 + 0.2 * rng.randn(m, 1)) * (np.exp(-((t - 0.4) ** 2) / 0.05) + peak[y])
    return X + 0.1 * rng.randn(m, 1) + 0.15 * rng.randn(m, 1) * t + 0.005 * rng.randn(m, 700), y


def baselines(n, rng):
    """Five classes of 400 wavelengths: mixtures of peaks above smooth random baselines."""
    t, y = np.linspace(0, 1, 400), cycled(n, 5, rng)
    m = len(y)
    centers = rng.rand(12)
    peaks = np.exp(-((t - centers[:, None]) ** 2) / 1e-3)
    amounts = 0.3 * rng.rand(5, 12)[y] + 0.03 * rng.randn(m, 12)
    waves = np.cos(np.pi * np.arange(5)[:, None] * t)
    return amounts @ peaks + 0.5 * rng.randn(m, 5) @ waves + 0.01 * rng.randn(m, 400), y


def sensors(n, rng):
    """Sixty sensors that follow the same three signals; the small differences tell the class."""
    y = cycled(n, 3, rng)
    m = len(y)
    common = rng.randn(m, 3) @ rng.randn(3, 60)
    return common + 0.05 * (rng.randn(3, 60)[y] + rng.randn(m, 60)), y


def collinear(n, rng):
    """Ten features, each in eleven noisy copies."""
    Z = rng.randn(n + N_TEST, 10)
    X = np.hstack([Z] * 11) + 0.1 * rng.randn(n + N_TEST, 110)
    return X, (Z[:, 0] * Z[:, 1] + Z[:, 2] > 0).astype(int)


def genes(n, rng):
    """Three classes and 2000 features, of which 30 differ for each class."""
    y = cycled(n, 3, rng)
    X = rng.randn(len(y), 2000)
    X[:, :90] += np.repeat(np.eye(3)[y], 30, axis=1)
    return X, y


def one_row_per_class(n, rng):
    """As many classes as rows."""
    centers, y = rng.randn(n, 20), cycled(n, n, rng)
    return centers[y] + 0.5 * rng.randn(len(y), 20) * (np.arange(len(y)) >= n)[:, None], y


def long_tail(n, rng):
    """Classes of which most have one or two rows, and a few have many."""
    k = max(4, n // 4)
    frequency = 1 / np.arange(1, k + 1) ** 1.2
    y = rng.choice(k, n + N_TEST, p=frequency / frequency.sum())
    y[:k] = np.arange(k)  # each class occurs in training
    return 1.5 * rng.randn(k, 15)[y] + rng.randn(len(y), 15) * 0.7, y


def singles_and_pairs(n, rng):
    """Six of seven classes have one row, and the seventh has two."""
    k = n * 7 // 8
    first = np.concatenate([np.arange(k), np.arange(n - k)])
    y = np.concatenate([first, rng.randint(k, size=N_TEST)])
    return rng.randn(k, 20)[y] + 0.3 * rng.randn(len(y), 20), y


def many_classes(n, rng):
    """Several rows in each of n / 5 classes."""
    y = cycled(n, n // 5, rng)
    return rng.randn(n // 5, 25)[y] + 0.5 * rng.randn(len(y), 25), y


def parity(n, rng, relevant=4, features=12):
    """The parity of some of the bits."""
    X = rng.randint(2, size=(n + N_TEST, features))
    return X.astype(float), X[:, :relevant].sum(axis=1) % 2


def xor(n, rng):
    """The signs of two of ten features."""
    X = rng.randn(n + N_TEST, 10)
    return X, (X[:, 0] * X[:, 1] > 0).astype(int)


def checkerboard(n, rng, squares=8):
    """A checkerboard of 8 x 8."""
    X = rng.rand(n + N_TEST, 2)
    return X, np.floor(squares * X).sum(axis=1).astype(int) % 2


def waves(n, rng):
    """A sine of high frequency in one feature."""
    X = rng.rand(n + N_TEST, 3)
    return X, (np.sin(40 * X[:, 0]) > 0).astype(int)


def steps(n, rng):
    """Thresholds of single features."""
    X = rng.rand(n + N_TEST, 8)
    inside = (np.abs(X[:, :3] - 0.5) < 0.2).sum(axis=1)
    return X, np.minimum(inside, 2)


def imbalance(n, rng):
    """One row in fifty belongs to the rare class."""
    y = (rng.rand(n + N_TEST) < 0.02).astype(int)
    y[:2] = 1
    X = rng.randn(n + N_TEST, 10)
    X[:, :3] += 1.5 * y[:, None]
    return X, y


def noise(n, rng):
    """Labels that have nothing to do with the features."""
    return rng.randn(n + N_TEST, 20), rng.randint(3, size=n + N_TEST)


def rare_noise(n, rng):
    """The same with unequal classes."""
    return rng.randn(n + N_TEST, 20), rng.choice(3, n + N_TEST, p=[0.7, 0.2, 0.1])


def flipped(n, rng):
    """A linear rule, with a third of the labels flipped."""
    X = rng.randn(n + N_TEST, 15)
    return X, ((X[:, :4].sum(axis=1) > 0) ^ (rng.rand(n + N_TEST) < 1 / 3)).astype(int)


def cauchy(n, rng):
    """Features without a variance."""
    X = rng.standard_cauchy((n + N_TEST, 10))
    return X, (np.arctan(X[:, :3]).sum(axis=1) > 0).astype(int)


def log_normal(n, rng):
    """Features over many orders of magnitude."""
    Z = rng.randn(n + N_TEST, 10)
    return np.exp(3 * Z), (Z[:, 0] + Z[:, 1] * Z[:, 2] > 0).astype(int)


def irrelevant(n, rng):
    """Five of 300 features matter."""
    X = rng.randn(n + N_TEST, 300)
    return X, (X[:, :5].sum(axis=1) > 0).astype(int)


def counts(n, rng):
    """Poisson counts of 50 things, mostly 0."""
    y = cycled(n, 4, rng)
    return rng.poisson(rng.gamma(0.5, 1.0, (4, 50))[y]).astype(float), y


def levels(n, rng):
    """Three categories of 40 levels, one-hot encoded."""
    codes = rng.randint(40, size=(n + N_TEST, 3))
    effects = rng.randn(3, 40)
    score = sum(effects[j, codes[:, j]] for j in range(3)) + 0.5 * rng.randn(n + N_TEST)
    return np.hstack([np.eye(40)[codes[:, j]] for j in range(3)]), (score > 0).astype(int)


def shifted_images(n, rng):
    """Images of 16 x 16 with one of six shapes at a random place."""
    y = cycled(n, 6, rng)
    shapes = (rng.rand(6, 7, 7) < 0.4).astype(float)
    X = 0.1 * rng.rand(len(y), 16, 16)
    for image, k, row, column in zip(X, y, *rng.randint(4, 7, size=(2, len(y))), strict=True):
        image[row : row + 7, column : column + 7] += shapes[k]
    return X.reshape(len(y), -1), y


def text(n, rng):
    """Word counts of 3000 words, as dense TF-IDF."""
    y = cycled(n, 5, rng)
    frequency = rng.dirichlet(np.full(3000, 0.05), size=6)
    topics = 0.7 * frequency[5] + 0.3 * frequency[:5]
    X = np.stack([rng.multinomial(60, topics[k]) for k in y]).astype(float)
    X *= np.log(len(X) / (1 + (X > 0).sum(axis=0)))
    return X / np.linalg.norm(X, axis=1, keepdims=True), y


def sparse_text(n, rng):
    """The same as CSR."""
    X, y = text(n, rng)
    return csr_array(X), y


def units(n, rng):
    """Features of very different units, some with a large offset."""
    Z = rng.randn(n + N_TEST, 10)
    scale = 10.0 ** np.linspace(-9, 9, 10)
    return (Z + 1000 * (np.arange(10) % 2)) * scale, (Z[:, 0] + Z[:, 5] * Z[:, 9] > 0).astype(int)


def windows(n, rng):
    """Windows of an oscillation: which of three frequencies, at any phase."""
    y = cycled(n, 3, rng)
    phase, amplitude = 2 * np.pi * rng.rand(len(y), 1), 0.5 + rng.rand(len(y), 1)
    t, frequency = np.arange(64) / 64, 2 * np.pi * np.array([[2.0], [3.0], [4.0]])[y]
    return amplitude * np.sin(frequency * t + phase) + 0.3 * rng.randn(len(y), 64), y


def ordered(n, rng):
    """Rows sorted by class, and periodic in a feature."""
    X = rng.randn(n + N_TEST, 6)
    y = np.digitize(X[:, 0] + X[:, 1] ** 2, [0, 1, 2])
    order = np.argsort(y[:n], kind="stable")
    X[:n], y[:n] = X[order], y[order]
    return np.hstack([X, (np.arange(len(y)) % 2)[:, None]]), y


def clusters(n, rng):
    """Four classes of three clusters each."""
    y = cycled(n, 4, rng)
    return 1.5 * rng.randn(12, 10)[y + 4 * rng.randint(3, size=len(y))] + rng.randn(len(y), 10), y


def duplicated(n, rng):
    """Each training row occurs ten times."""
    X, y = clusters(n, rng)
    rows = np.concatenate([np.arange(n) % max(n // 10, 4), np.arange(n, len(y))])
    return X[rows], y[rows]


def moons(n, rng):
    """Two moons."""
    return make_moons(n + N_TEST, noise=0.2, random_state=rng)


def ratio(n, rng):
    """Whether one feature exceeds a multiple of another one."""
    X = rng.gamma(2, size=(n + N_TEST, 6))
    return X, (X[:, 0] > X[:, 1] * X[:, 2]).astype(int)


KINDS = {
    spectra: (40, 80, 240, 1000),
    baselines: (60, 150, 600),
    sensors: (100, 400, 2000),
    collinear: (100, 500, 4000),
    genes: (60, 200),
    one_row_per_class: (60, 300, 1000),
    long_tail: (60, 400, 3000),
    singles_and_pairs: (56, 200),
    many_classes: (100, 1000, 10_000),
    parity: (300, 1000, 4000),
    xor: (100, 500, 3000),
    checkerboard: (300, 1000, 4000, 10_000),
    waves: (100, 500, 3000),
    steps: (50, 300, 3000),
    imbalance: (100, 1000, 10_000),
    noise: (20, 60, 300, 3000),
    rare_noise: (60, 300, 3000),
    flipped: (60, 300, 3000),
    cauchy: (100, 1000, 10_000),
    log_normal: (100, 1000, 5000),
    irrelevant: (60, 300, 3000),
    counts: (60, 500),
    levels: (100, 1000, 5000),
    shifted_images: (100, 1000, 5000),
    text: (60, 400, 1500),
    sparse_text: (60, 400, 1500),
    units: (100, 1000),
    windows: (60, 300, 2000),
    ordered: (50, 500, 5000),
    clusters: (20, 100, 1000),
    duplicated: (100, 1000),
    moons: (20, 60, 200, 2000),
    ratio: (20, 200, 2000),
}


def scaled(X, classifier):
    return make_pipeline(StandardScaler(with_mean=not issparse(X)), classifier)


METHODS = {
    "ours": lambda X, seed: scaled(X, NumpyMLPClassifier(random_state=seed)),
    "encoded": lambda X, seed: make_pipeline(
        NumericalEncoder(), NumpyMLPClassifier(random_state=seed)
    ),
    "sk": lambda X, seed: scaled(X, MLPClassifier(random_state=seed)),
    "linear": lambda X, seed: scaled(X, LogisticRegression(max_iter=1000)),
    "hgb": lambda X, seed: HistGradientBoostingClassifier(random_state=seed),
}


def log_loss(proba, classes, y):
    """Return the mean negative log-probability of the labels; classes of rows are all known."""
    rows = np.arange(len(y)), np.searchsorted(classes, y)
    return float(-np.log(np.maximum(proba[rows], 1e-15)).mean())


def run(kind, n, seed, methods):
    """Return accuracy, log-loss and CPU seconds of each method, and what they warned of."""
    X, y = kind(n, np.random.RandomState(seed))
    X_test, y_test = X[n:], y[n:]
    classes, numbers = np.unique(y[:n], return_counts=True)
    known = np.isin(y_test, classes)
    X_test, y_test = X_test[known], y_test[known]
    frequencies = np.broadcast_to(numbers / n, (len(y_test), len(classes)))
    rows = {"frequencies": [float(np.mean(y_test == classes[numbers.argmax()]))]}
    rows["frequencies"] += [log_loss(frequencies, classes, y_test), 0.0, []]
    for name in methods:
        if name == "hgb" and (issparse(X) or len(classes) > 50):
            continue  # it takes no sparse X, and minutes for many classes
        model = METHODS[name](X, seed)
        start = time.process_time()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(X[:n], y[:n])
        seconds = time.process_time() - start
        proba = model.predict_proba(X_test)
        accuracy = float(np.mean(model.predict(X_test) == y_test))
        said = [str(w.message) for w in caught]
        rows[name] = [accuracy, log_loss(proba, classes, y_test), seconds, said]
    return rows


def averaged(rows):
    """Return the mean accuracy, log-loss and seconds of each method, and all that it warned of."""
    result = {}
    for name in rows[0]:
        said = [message for row in rows for message in row[name][3]]
        result[name] = [*np.mean([row[name][:3] for row in rows], axis=0).tolist(), said]
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    names = [kind.__name__ for kind in KINDS]
    parser.add_argument("--kinds", nargs="*", choices=names, default=names)
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=list(METHODS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="processes, each on one core")
    parser.add_argument("--output", help="JSON file to write")
    arguments = parser.parse_args()
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    cases = [
        (kind, n)
        for kind, sizes in KINDS.items()
        for n in sizes
        if kind.__name__ in arguments.kinds
    ]
    rows = Parallel(arguments.jobs, batch_size=1)(
        delayed(run)(*case, seed, arguments.methods) for case in cases for seed in seeds
    )
    results = {
        f"{kind.__name__} {n}": averaged(rows[k * len(seeds) : (k + 1) * len(seeds)])
        for k, (kind, n) in enumerate(cases)
    }
    about = f"{report.versions()}, {arguments.jobs} processes of one core; {len(seeds)} seeds"
    report.publish(arguments.output, about, results, report.strange)


if __name__ == "__main__":
    main()
