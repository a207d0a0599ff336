"""Speed and memory compared with scikit-learn, PyTorch and the bare matrix products.

    python examples/benchmarks/speed.py [--data-dir DIR] [--sections abcdefghijklmn] [--repeats 5]
        [--output FILE]

Everything runs in one process. The candidates take turns, and medians of the repeats are printed,
to FILE too. PyTorch and pytabkit's RealMLP are included if they are installed. "floor" is the time
of the same matrix products in reused buffers and nothing else. The time of an epoch is a difference
of two trainings, of one epoch and of several, so that start-up costs cancel.
"""

import argparse
import contextlib
import gc
import io
import os
import platform
import time
import tracemalloc
import warnings
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import scipy
import sklearn
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info, threadpool_limits

import sknumpynet
from sknumpynet import NumericalEncoder, NumpyMLPClassifier
from sknumpynet.datasets import fetch_mnist

try:
    import torch
except ImportError:
    torch = None
try:
    import pytabkit
except ImportError:
    pytabkit = None

EPOCHS = 2
TWO_EPOCHS = {
    "alpha": 0,
    "batch_size": 128,
    "learning_rate": "one_cycle",
    "learning_rate_init": 0.01,
    "beta_2": 0.95,
    "label_smoothing": 0.1,
    "max_iter": 2,
}
# The settings of MLPClassifier; parameters are float32 for every dtype of X.
Ours = partial(NumpyMLPClassifier, preset="sklearn", dtype="float32")
# The optimizer of the tuned preset, and its whole step; without its pilot run and its schedule.
OPTIMIZER = {"alpha": 0.0, "epsilon": 0.0, "weight_decay": 0.1}
RECIPE = OPTIMIZER | {"activation": "gelu", "label_smoothing": 0.1, "input_lr_multiplier": 1.6}

shown = []


def show(text):
    """Print a text, and keep it for --output."""
    shown.append(text)
    print(text, flush=True)


def train(make, X, y, hidden, batch_size, epochs):
    make(hidden, batch_size=batch_size, max_iter=epochs, tol=0, random_state=0).fit(X, y)


ours, scikit_learns = partial(train, Ours), partial(train, MLPClassifier)
tuned = partial(train, partial(Ours, **OPTIMIZER))


def pytorchs(X, y, hidden, batch_size, epochs):
    """Train with idiomatic eager PyTorch: batches indexed from one tensor, fused Adam."""
    sizes = X.shape[1], *np.ravel(hidden), len(np.unique(y))
    layers = []
    for fan_in, fan_out in pairwise(int(size) for size in sizes):
        layers += [torch.nn.Linear(fan_in, fan_out), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    loss_of = torch.nn.CrossEntropyLoss()
    X, y = torch.from_numpy(X), torch.from_numpy(y.astype(np.int64))
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(batch_size):
            optimizer.zero_grad(set_to_none=True)
            loss_of(model(X[rows]), y[rows]).backward()
            optimizer.step()


def floor(X, y, hidden, batch_size, epochs):
    """Run the matrix products of training and nothing else."""
    sizes = X.shape[1], *np.ravel(hidden), len(np.unique(y))
    rng = np.random.default_rng(0)

    def random(*shape):
        return rng.random(shape, np.float32)

    weights = [random(*shape) for shape in pairwise(sizes)]
    grads = [np.empty_like(W) for W in weights]
    activations = [random(batch_size, size) for size in sizes]
    deltas = [random(batch_size, size) for size in sizes]
    for _ in range(epochs * (len(X) // batch_size)):
        for layer, W in enumerate(weights):
            np.matmul(activations[layer], W, out=activations[layer + 1])
        for layer in reversed(range(len(weights))):
            np.matmul(activations[layer].T, deltas[layer + 1], out=grads[layer])
            if layer > 0:
                np.matmul(deltas[layer + 1], weights[layer].T, out=deltas[layer])


TRAINERS = {
    "ours": ours,
    "ours, tuned": tuned,
    "scikit-learn": scikit_learns,
    "PyTorch": pytorchs,
    "floor": floor,
}
if torch is None:
    del TRAINERS["PyTorch"]


def clock(call):
    """Return the seconds that a call takes, after a pause in which BLAS threads fall asleep."""
    time.sleep(0.3)
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def medians(calls, repeats):
    """Return the median seconds of each call; they take turns."""
    seconds = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            seconds[name].append(clock(call))
    return {name: float(np.median(values)) for name, values in seconds.items()}


def epoch_times(trainers, problems, repeats):
    """Return median seconds of an epoch of each trainer on (X, y, hidden, batch_size)."""
    calls = {}
    for name, trainer in trainers.items():
        problem = problems[name] if isinstance(problems, dict) else problems
        for epochs in (1, 1 + EPOCHS):
            calls[name, epochs] = lambda t=trainer, p=problem, e=epochs: t(*p, e)
    seconds = medians(calls, repeats)
    return {n: (seconds[n, 1 + EPOCHS] - seconds[n, 1]) / EPOCHS for n in trainers}


def table(title, rows, unit="ms", scale=1e3):
    """Print seconds in `unit`, and the ratio of each candidate to ours (and to ours, tuned)."""
    show(f"\n{title}\n")
    names = list(next(iter(rows.values())))
    mine = [name for name in names if name in ("ours", "ours, tuned")]
    others = [name for name in names if name not in mine]
    us = "ours" + " (tuned)" * (len(mine) - 1)
    ratios = [f"{us} / {n}" if n == "floor" else f"{n} / {us}" for n in others]
    show("| | " + " | ".join([f"{n}, {unit}" for n in names] + ratios) + " |")
    show("|---" * (1 + len(names) + len(others)) + "|")
    for label, row in rows.items():
        cells = [f"{row[name] * scale:.4g}" for name in names]
        for name in others:
            ratios = [row[name] / row[m] for m in mine]
            first, *second = [f"{1 / r if name == 'floor' else r:.2f}" for r in ratios]
            cells.append(first + "".join(f" ({r})" for r in second))
        show(f"| {label} | " + " | ".join(cells) + " |")


def peak(call):
    """Return the peak memory that a call allocates, in MB."""
    gc.collect()
    tracemalloc.start()
    call()
    mb = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return mb


def random_problem(n, sizes, seed=0):
    rng = np.random.default_rng(seed)
    d, *_, k = sizes
    return rng.standard_normal((n, d), np.float32), rng.integers(k, size=n)


class Sections:
    """The sections of the benchmark, one method for each letter of the option --sections."""

    def __init__(self, X, y, test, repeats):
        self.X, self.y, self.test, self.repeats = X, y, test, repeats

    def a(self):
        rows = {
            f"batch {size}": epoch_times(TRAINERS, (self.X, self.y, 256, size), self.repeats)
            for size in (128, 200, 512)
        }
        table(f"(a) an epoch of {len(self.X)} x 784 -> 256 -> 10, float32, Adam", rows)
        seconds, accuracy = [], []
        for seed in range(self.repeats):
            model = Ours(256, random_state=seed, **TWO_EPOCHS)
            seconds.append(clock(lambda m=model: m.fit(self.X, self.y)))
            accuracy.append(model.score(*self.test))
        show(
            f"\nTwo epochs of one cycle: {np.median(seconds):.2f} s from the call of fit on, "
            f"{np.median(seconds) / rows['batch 128']['floor']:.2f} times the floor of an epoch; "
            f"test accuracy {np.mean(accuracy):.2%} mean, {min(accuracy):.2%} minimum"
        )

    def b(self):
        rows = {}
        for sizes, size in (((16, 256, 10), 128), ((4, 32, 3), 32)):
            n_steps = 500
            X, y = random_problem(n_steps * size, sizes)
            seconds = epoch_times(TRAINERS, (X, y, sizes[1], size), self.repeats)
            label = f"{' -> '.join(map(str, sizes))}, batch {size}"
            rows[label] = {name: value / n_steps for name, value in seconds.items()}
        table("(b) a step of a small network and of a tiny one", rows, "us", 1e6)

    def c(self):
        X, y = random_problem(12_800, (20, 10))
        problem = X, y, (256, 256, 256), 128
        table(
            "(c) an epoch of 12,800 x 20 -> 256 -> 256 -> 256 -> 10, batch 128",
            {"relu": epoch_times(TRAINERS, problem, self.repeats)},
        )

    def d(self):
        kinds = {"ours": self.X, "float64": self.X.astype(float)}
        kinds["uint8"] = (self.X * 255).astype(np.uint8)
        problems = {name: (X, self.y, 256, 200) for name, X in kinds.items()}
        seconds = epoch_times(dict.fromkeys(kinds, ours), problems, self.repeats)
        table('(d) the kind of X; "ours" is float32; batch 200', {"epoch": seconds})

    def e(self):
        n, d, nnz = 10_000, 20_000, 100
        rng = np.random.default_rng(0)
        columns = np.sort(rng.integers(d, size=(n, nnz)), axis=1).ravel()
        X = sparse.csr_matrix((np.ones(n * nnz, np.float32), columns, np.arange(n + 1) * nnz))
        X.sum_duplicates()
        X.resize(n, d)
        score = X @ rng.standard_normal((d, 4)).astype(np.float32)
        y = score.argmax(axis=1)
        problems = {f"{n} x {d}, {nnz} non-zeros per row": (X, y, 100, 200)}
        sms = Path(os.environ.get("SKNUMPYNET_DATA", "")) / "tabular" / "sms_spam_sparse.npz"
        if sms.is_file():
            file = np.load(sms)
            X = sparse.csr_matrix(
                (file["data"], file["indices"], file["indptr"]), shape=file["shape"]
            )
            label = f"sms_spam, {X.shape[0]} x {X.shape[1]}, {X.nnz / X.shape[0]:.0f} per row"
            problems[label] = X, file["y"], 100, 200
        some = {name: TRAINERS[name] for name in ("ours", "ours, tuned", "scikit-learn")}
        rows = {name: epoch_times(some, p, self.repeats) for name, p in problems.items()}
        table("(e) an epoch of CSR -> 100 -> classes, batch 200", rows)

    def f(self):
        hidden = 256
        models = {
            "ours": Ours(hidden, max_iter=1),
            "scikit-learn": MLPClassifier(hidden, max_iter=1),
        }
        for model in models.values():
            model.fit(self.X[:2000], self.y[:2000])
        W1, W2 = (W.astype(np.float32) for W in models["ours"].coefs_)
        rows = {}
        for n, times in ((1, 300), (100, 100), (len(self.X), 1)):
            X = self.X[:n]

            def products(X):
                for start in range(0, len(X), 1024):
                    X[start : start + 1024] @ W1 @ W2

            calls = {name: model.predict_proba for name, model in models.items()}
            calls["floor"] = products
            calls = {
                name: lambda c=call, X=X, t=times: [c(X) for _ in range(t)]
                for name, call in calls.items()
            }
            seconds = medians(calls, self.repeats)
            rows[f"{n} rows"] = {name: value / times for name, value in seconds.items()}
        table("(f) predict_proba, 784 -> 256 -> 10", rows)

    def g(self):
        show("\n(g) peak memory beyond the data, MB\n\n| | ours | scikit-learn |\n|---|---|---|")
        kinds = {"float32": self.X, "uint8": (self.X * 255).astype(np.uint8)}
        for kind, X in kinds.items():
            mb = [peak(lambda t=t, X=X: t(X, self.y, 256, 200, 1)) for t in (ours, scikit_learns)]
            show(f"| fit, {len(X)} rows, {kind} | {mb[0]:.0f} | {mb[1]:.0f} |")
        X, y = random_problem(1_000_000, (20, 2))
        models = [M(256, max_iter=1).fit(X[:2000], y[:2000]) for M in (Ours, MLPClassifier)]
        result = 1e6 * 2 * 8 / 2**20
        mb = [peak(lambda m=m: m.predict_proba(X)) - result for m in models]
        label = "predict_proba, 1,000,000 x 20 -> 256 -> 2, beyond its result"
        show(f"| {label} | {mb[0]:.0f} | {mb[1]:.0f} |")

    def h(self):
        trainers = {name: TRAINERS[name] for name in TRAINERS if name != "PyTorch"}
        rows = {}
        for n in (15_000, 60_000, 240_000):
            X = np.resize(self.X, (n, self.X.shape[1]))
            y = np.resize(self.y, n)
            seconds = epoch_times(trainers, (X, y, 256, 200), self.repeats)
            rows[f"{n} rows"] = {name: value / n for name, value in seconds.items()}
        for width in (64, 1024):
            X, y = self.X[:15_000], self.y[:15_000]
            seconds = epoch_times(trainers, (X, y, width, 200), self.repeats)
            rows[f"{width} units"] = {name: value / len(X) for name, value in seconds.items()}
        table("(h) scaling: time per row of an epoch, 784 -> 256 -> 10, batch 200", rows, "us", 1e6)

    def i(self):
        rows = {}
        for threads in (1, 2):
            with threadpool_limits(threads):
                if torch is not None:
                    torch.set_num_threads(threads)
                rows[f"{threads} threads"] = epoch_times(
                    TRAINERS, (self.X, self.y, 256, 200), self.repeats
                )
        table("(i) threads: an epoch as in (a), batch 200", rows)

    def j(self):
        X, y = self.X[:10_000], self.y[:10_000]
        grid = {"alpha": [1e-5, 1e-4, 1e-3, 1e-2]}
        calls = {
            name: lambda m=model: GridSearchCV(m(256, max_iter=5), grid, n_jobs=2, cv=3).fit(X, y)
            for name, model in (("ours", Ours), ("scikit-learn", MLPClassifier))
        }
        table(
            "(j) GridSearchCV, 12 fits of 5 epochs, n_jobs=2", {"search": medians(calls, 3)}, "s", 1
        )

    def k(self):
        show("\n(k) max_time with the defaults, n x 10, two classes\n")
        show("| n | max_time, s | ended after, s | epochs | test accuracy |\n|---|---|---|---|---|")

        def problem(n, seed):
            rng = np.random.default_rng(seed)
            X = rng.standard_normal((n, 10))
            score = np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + np.abs(X[:, 3]) - 0.8
            return X, score + 0.3 * rng.standard_normal(n) > 0

        X, y = problem(1_000_000, 0)
        test = problem(50_000, 1)
        for n, max_time in ((100_000, 2), (1_000_000, 10), (1_000_000, 60)):
            model = NumpyMLPClassifier(max_time=max_time, random_state=0)
            seconds = clock(lambda m=model, n=n: m.fit(X[:n], y[:n]))
            accuracy = model.score(*test)
            cells = f"{n} | {max_time} | {seconds:.2f} | {model.n_iter_} | {accuracy:.4f}"
            show(f"| {cells} |")

    def l(self):  # noqa: E743
        problems = {
            "iris": load_iris(return_X_y=True),
            "breast_cancer, the first 500": [a[:500] for a in load_breast_cancer(return_X_y=True)],
            "digits": load_digits(return_X_y=True),
            "make_classification": make_classification(
                10_000, 10, n_informative=6, n_classes=3, random_state=0
            ),
        }
        makers = {
            "ours": lambda: make_pipeline(NumericalEncoder(), NumpyMLPClassifier(random_state=0)),
            "scikit-learn": lambda: make_pipeline(StandardScaler(), MLPClassifier(random_state=0)),
        }
        if pytabkit is not None:
            makers["RealMLP-TD-S"] = lambda: pytabkit.RealMLP_TD_S_Classifier(
                "cpu", random_state=0, verbosity=0
            )
        rows = {}
        for name, (X, y) in problems.items():
            calls = {n: lambda make=m, X=X, y=y: make().fit(X, y) for n, m in makers.items()}
            with contextlib.redirect_stdout(io.StringIO()):  # RealMLP reports its parameters
                rows[f"{name}, {len(X)} x {X.shape[1]}"] = medians(calls, 3)
        table("(l) a fit with the defaults", rows, "s", 1)

    def m(self):
        X, y = random_problem(12_800, (20, 10))
        rows = {}
        for dropout in (0.0, 0.1):
            recipe = partial(Ours, dropout=dropout, **RECIPE)
            trainers = {"ours": partial(train, recipe), "floor": floor}
            seconds = epoch_times(trainers, (X, y, (256, 256), 128), self.repeats)
            rows[f"dropout {dropout}"] = {name: value / 100 for name, value in seconds.items()}
        title = "(m) a step of the tuned preset, 20 -> 256 -> 256 -> 10, batch 128"
        table(title, rows, "us", 1e6)

    def n(self):
        n, nnz = 300_000, 50
        rng = np.random.default_rng(0)
        indices = rng.integers(20_000, size=n * nnz, dtype=np.int32)
        words = sparse.csr_matrix(
            (np.ones(n * nnz, np.float32), indices, np.arange(n + 1) * nnz), shape=(n, 20_000)
        )
        words.sum_duplicates()
        problems = {
            "1,000,000 x 10": random_problem(1_000_000, (10, 2)),
            "100,000 x 784": random_problem(100_000, (784, 10)),
            "300,000 x 20,000, 50 non-zeros per row": (words, rng.integers(2, size=n)),
        }
        show(
            "\n(n) large tables, defaults; an epoch is `fit` with max_iter=1\n\n"
            "| | an epoch, s | floor, s | first progress, s | peak memory in addition to X, MB |\n"
            "|---|---|---|---|---|"
        )
        for name, (X, y) in problems.items():
            epoch = clock(lambda X=X, y=y: NumpyMLPClassifier(max_iter=1).fit(X, y))
            products = (
                ""
                if sparse.issparse(X)
                else clock(lambda X=X, y=y: floor(X, y, (256, 256), 128, 1))
            )
            first = FirstLine()
            model = NumpyMLPClassifier(max_time=4, verbose=True)
            with contextlib.redirect_stdout(first):
                model.fit(X, y)
            mb = peak(lambda X=X, y=y: NumpyMLPClassifier(max_time=8).fit(X, y))
            products = products and f"{products:.2f}"
            show(f"| {name} | {epoch:.2f} | {products} | {first.seconds:.2f} | {mb:.0f} |")


class FirstLine(io.StringIO):
    """Notes how many seconds after its creation something was first written to it."""

    def __init__(self):
        super().__init__()
        self.start, self.seconds = time.perf_counter(), None

    def write(self, text):
        if self.seconds is None:
            self.seconds = time.perf_counter() - self.start
        return super().write(text)


def processor():
    """Return the name of the processor."""
    info = Path("/proc/cpuinfo")
    text = info.read_text() if info.is_file() else ""
    names = [line.split(":")[1].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.processor()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data-dir", help="directory with the IDX files of MNIST")
    parser.add_argument("--sections", default="abcdefghijklmn")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--output", type=Path, help="Markdown file to write")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    X, y = fetch_mnist(arguments.data_dir, subset="train", return_X_y=True)
    X = X / np.float32(255)
    show(
        f"{processor()}, {os.cpu_count()} cores; sknumpynet {sknumpynet.__version__}, numpy "
        f"{np.__version__}, scipy {scipy.__version__}, scikit-learn {sklearn.__version__}, PyTorch "
        f"{getattr(torch, '__version__', None)}, Python {platform.python_version()}, "
        f"{platform.machine()}; medians of {arguments.repeats} repeats.\n"
    )
    for pool in threadpool_info():
        if pool["user_api"] == "blas":
            show(
                f"- {pool['prefix']} {pool['version']}, kernels "
                f"{pool.get('architecture', 'unknown')}, {pool['num_threads']} threads"
            )
    X_test, y_test = fetch_mnist(arguments.data_dir, subset="test", return_X_y=True)
    sections = Sections(X, y, (X_test / np.float32(255), y_test), arguments.repeats)
    for letter in arguments.sections:
        getattr(sections, letter)()
    if arguments.output:
        options = f"--sections {arguments.sections} --repeats {arguments.repeats}"
        command = f"    python examples/benchmarks/speed.py {options} --output {arguments.output}"
        arguments.output.write_text("\n".join([command, "", *shown, ""]))


if __name__ == "__main__":
    main()
