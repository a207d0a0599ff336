"""Files of benchmark results, and their tables in README.md and docs/benchmarks.md.

    python examples/benchmarks/report.py

The benchmarks write their results to docs/benchmarks, with `--output`. In the two pages, the text
between `<!-- NAME -->` and `<!-- end -->` becomes what `BLOCKS[NAME]` makes of these files.
"""

import json
import platform
import re
import sys
from pathlib import Path

import numpy as np
import sklearn

import sknumpynet

ROOT = Path(__file__).parents[2]
FILES = ROOT / "docs" / "benchmarks"
PAGES = ROOT / "README.md", ROOT / "docs" / "benchmarks.md"
WHAT = "error", "log-loss", "calibration", "AUC", "seconds"
LEAST_ERROR = 0.002
UNSEEN = "bank_marketing", "covtype20k", "satimage"  # had no part in the choice of any default
# Our methods in strange.py, and what counts there as falling short.
OURS = "ours", "encoded"
LESS_ACCURACY, MORE_LOSS, MARGIN = 0.05, 1.15, 0.03
NAMES = {
    "sk": "MLPClassifier",
    "skes": "MLP, early stopping",
    "hgb": "HistGradientBoosting",
    "rmlp": "RealMLP-TD-S",
    "td": "RealMLP-TD",
    "skorch": "skorch",
}

REGRESSORS = {
    "sk": "MLPRegressor",
    "skt": "MLPRegressor, y scaled",
    "hgb": "HistGradientBoosting",
    "lgbm": "LightGBM",
    "cat": "CatBoost",
    "rmlp": "RealMLP-TD-S",
}

LINEAR = {"skes": "MLPClassifier, early stopping", "lr": "LogisticRegression"}

COMPARED = "ours divided by theirs (below 1: ours is better)"
OF_TABLES = "error", "log-loss", "seconds"
PEERS_OF_TABLES = {
    "both": "ours and HistGradientBoosting, averaged",
    "skrub": "TableVectorizer, NumpyMLPClassifier",
    "sk": "TableVectorizer, MLPClassifier",
    "hgb": "HistGradientBoosting",
    "lgbm": "LightGBM",
    "cat": "CatBoost",
    "rmlp": "RealMLP-TD-S",
}


def versions():
    """Return the versions of what every benchmark uses."""
    return (
        f"sknumpynet {sknumpynet.__version__}, numpy {np.__version__}, scikit-learn "
        f"{sklearn.__version__}, {platform.machine()}"
    )


def save(path, about, results):
    """Write results, what they were measured with, and the command, as JSON."""
    contents = {"command": " ".join(sys.argv), "about": about, "results": results}
    Path(path).write_text(json.dumps(contents, indent=1) + "\n")


def by_method(rows, methods, names, columns):
    """Return the means over the seeds, by method, set and column.

    Parameters
    ----------
    rows : list
        For each set, and for each seed of it, a row of columns for each method.
    methods, names, columns : iterable of str
    """
    shape = len(names), -1, len(methods), len(columns)
    means = np.reshape(rows, shape).mean(axis=1).tolist()
    return {
        method: {
            name: dict(zip(columns, of_set[i], strict=True))
            for name, of_set in zip(names, means, strict=True)
        }
        for i, method in enumerate(methods)
    }


def publish(output, about, results, make):
    """Print the table that `make` returns, and save the results if there is a path for them."""
    print(f"{about}\n\n{make(results)}")
    if output:
        save(output, about, results)


def table(header, rows):
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |".replace("|  |", "| |") for line in lines)


def scores(results, method, what):
    """Return the scores of a method on each set; an error below LEAST_ERROR counts as that."""
    least = LEAST_ERROR if what == "error" else 0
    return np.array([max(row[what], least) for row in results[method].values()])


def ratio(results, what, method, base):
    """Return the geometric mean, over the sets, of a method's scores divided by another's."""
    return np.exp(np.mean(np.log(scores(results, method, what) / scores(results, base, what))))


def others(results, names=NAMES):
    """Return the methods that are not ours."""
    return [method for method in names if method in results]


def summary(results):
    """Return how ours compare with each of the others."""
    header = [COMPARED, "error", "log-loss", "seconds"]
    rows = [
        [NAMES[method]] + [f"{ratio(results, what, 'ours', method):.2f}" for what in header[1:]]
        for method in others(results)
    ]
    return table(header, rows)


def comparison(results):
    """Return more of how ours compare with each of the others."""
    header = ["ours divided by theirs", "calibration error", "AUC, ours minus theirs"]
    header += ["fewer / more errors", "most errors", "most seconds"]
    names, rows = list(results["ours"]), []
    for method in others(results):
        error, auc, seconds = (
            (scores(results, "ours", what), scores(results, method, what))
            for what in ("error", "AUC", "seconds")
        )
        row = [NAMES[method], f"{ratio(results, 'calibration', 'ours', method):.2f}"]
        row += [f"{np.mean(auc[0] - auc[1]):+.4f}"]
        row += [f"{np.sum(error[0] < error[1])} / {np.sum(error[0] > error[1])}"]
        for ours, other in (error, seconds):
            worst = np.argmax(ours / other)
            row += [f"{ours[worst] / other[worst]:.2f} ({names[worst]})"]
        rows.append(row)
    return table(header, rows)


def per_set(results, what, names=NAMES):
    """Return the scores on each set, the best in bold."""
    methods, best = ["ours", *others(results, names)], max if what == "AUC" else min
    rows = []
    for name in results["ours"]:
        values = [results[method][name][what] for method in methods]
        cells = [f"**{v:.4f}**" if v == best(values) else f"{v:.4f}" for v in values]
        rows.append([name, *cells])
    return table([what, "ours", *(names[method] for method in methods[1:])], rows)


def losses(results):
    """Return the sets on which another method has fewer errors."""
    rows = []
    for method in others(results):
        ratios = scores(results, "ours", "error") / scores(results, method, "error")
        more = [
            f"{name} {ratio:.2f}"
            for ratio, name in sorted(zip(ratios, results["ours"], strict=True), reverse=True)
            if ratio > 1
        ]
        rows.append([NAMES[method], ", ".join(more)])
    return table(["fewer errors than ours", "errors, ours divided by theirs"], rows)


def relative(results):
    """Return the scores of all methods as multiples of ours."""
    header = ["", "error", "log-loss", "calibration", "seconds"]
    rows = [
        [
            NAMES.get(method, method),
            *(f"{ratio(results, w, method, 'ours'):.2f}" for w in header[1:]),
        ]
        for method in results
    ]
    return table(header, rows)


def streams(results):
    """Return the prequential accuracy of each model on each stream."""
    models = list(next(iter(results.values()))["accuracy"])
    rows = [
        [name, row["rows"], *(f"{row['accuracy'][model]:.4f}" for model in models)]
        for name, row in results.items()
    ]
    return table(["set", "rows", *models], rows)


def mnist(results):
    """Return test accuracy and time of each way of training."""
    rows = [
        [way, row["epochs"], f"{row['mean']:.2%}", f"{row['minimum']:.2%}", f"{row['seconds']:.1f}"]
        for way, row in results.items()
    ]
    return table(["training", "epochs", "mean", "minimum", "seconds"], rows)


def read(name):
    """Return what `save` has written."""
    return json.loads((FILES / f"{name}.json").read_text())


def accuracy():
    """Return the results of accuracy.py on the test parts."""
    return read("accuracy")["results"]


def serving(results):
    """Return the figures of each number of clients."""
    rows = [[f"{v:.1f}" if isinstance(v, float) else v for v in row.values()] for row in results]
    return table(list(results[0]), rows)


def parity(results):
    """Return how far ONNX is from the original on each data set."""
    rows = []
    for name, row in results.items():
        small = {k: f"{row[k]:.1e}" for k in ("float32", "float64")}
        rest = {k: f"{v:.0f}" if isinstance(v, float) else v for k, v in row.items()}
        rows.append([name, *(rest | small).values()])
    return table(["set", *(key.strip() for key in next(iter(results.values())))], rows)


def cluster(results):
    """Return accuracy and time of each way of training, and the costs of a step."""
    rows = [
        [way, f"{row['accuracy']:.2%}", f"{row['seconds']:.1f}", row.get("same bits", "")]
        for way, row in results["ways"].items()
    ]
    costs = {name: f"{1000 * value:.1f}" for name, value in results["costs"].items()}
    return "\n\n".join(
        [
            table(["training", "test accuracy", "seconds", "same bits as partial_fit"], rows),
            table([f"{name}, ms" for name in costs], [costs.values()]),
        ]
    )


def of_tables(results):
    """Return how ours compare on mixed tables."""
    rows = []
    for method in others(results, PEERS_OF_TABLES):
        cells = [f"{ratio(results, what, 'ours', method):.2f}" for what in OF_TABLES]
        losses = scores(results, "ours", "log-loss") / scores(results, method, "log-loss")
        worst = np.argmax(losses)
        fewer = np.sum(scores(results, "ours", "error") < scores(results, method, "error"))
        worst = f"{losses[worst]:.2f} ({list(results['ours'])[worst]})"
        rows.append([PEERS_OF_TABLES[method], *cells, fewer, worst])
    n = len(results["ours"])
    header = [COMPARED, *OF_TABLES, f"fewer errors on, of {n}"]
    return table([*header, "largest log-loss, ours divided by theirs"], rows)


def mixed(results):
    """Return how ours compare on mixed tables, and the errors and log-losses on each of them."""
    of_sets = [per_set(results, what, PEERS_OF_TABLES) for what in ("error", "log-loss")]
    return "\n\n".join([of_tables(results), *of_sets])


def text(results):
    """Return the errors, log-losses and seconds on each set of texts."""
    return "\n\n".join(per_set(results, what, LINEAR) for what in OF_TABLES)


def without(method, results):
    """Return the results of all other methods."""
    return {name: rows for name, rows in results.items() if name != method}


def falls_short(rows, method):
    """Tell whether a method falls short of MLPClassifier, or of the class frequencies."""
    accuracy, loss = rows[method][:2]
    bound = MORE_LOSS * min(rows["sk"][1], rows["frequencies"][1]) + MARGIN
    return accuracy < rows["sk"][0] - LESS_ACCURACY or loss > bound


def strange(results):
    """Return how many cases fall short, and the accuracy and log-loss of each method and case."""
    methods = list(max(results.values(), key=len))
    short = [(rows, m) for rows in results.values() for m in OURS if falls_short(rows, m)]
    silent = [rows for rows, method in short if not rows[method][3]]
    lines = []
    for case, rows in results.items():
        cells = []
        for method in methods:
            accuracy, loss, _, said = rows.get(method, (0, 0, 0, []))
            cell = f"{accuracy:.3f} / {loss:.2f}" if method in rows else ""
            cell = f"**{cell}**" if method in OURS and falls_short(rows, method) else cell
            cells.append(cell + ("†" if said and method in OURS else ""))
        lines.append([case, *cells])
    return (
        f"{len(short)} of {len(OURS) * len(results)} cases fall short (bold), {len(silent)} of "
        f"them without a warning (†).\n\n{table(['accuracy / log-loss', *methods], lines)}"
    )


def of_numbers(results):
    """Return how the regressors compare."""
    rows = [
        [REGRESSORS[method]]
        + [f"{ratio(results, what, 'ours', method):.2f}" for what in ("RMSE", "seconds")]
        + [f"{np.sum(scores(results, 'ours', 'RMSE') < scores(results, method, 'RMSE'))}"]
        for method in REGRESSORS
        if method in results
    ]
    n = len(results["ours"])
    return table([COMPARED, "RMSE", "seconds", f"better on, of {n}"], rows)


def regression(results):
    """Return how the regressors compare, and the RMSE on each set in relation to ours."""
    methods = [method for method in REGRESSORS if method in results]
    rows = []
    for name, row in results["ours"].items():
        ratios = [row["RMSE"] / results[method][name]["RMSE"] for method in methods]
        rows.append([name, f"{row['R2']:.3f}", *(f"{r:.2f}" for r in ratios)])
    names = [REGRESSORS[method] for method in methods]
    of_sets = table(["RMSE, ours divided by theirs", "R2 of ours", *names], rows)
    return f"{of_numbers(results)}\n\n{of_sets}"


def quantiles(results):
    """Return the pinball loss in relation to that of trees, and the coverage of 80 % intervals."""
    rows = [
        [
            name,
            f"{row['pinball loss'] / results['hgb'][name]['pinball loss']:.2f}",
            *(f"{results[method][name]['coverage']:.3f}" for method in ("ours", "hgb")),
        ]
        for name, row in results["ours"].items()
    ]
    ratios = (f"{ratio(results, what, 'ours', 'hgb'):.2f}" for what in ("pinball loss", "seconds"))
    near = [np.sum(np.abs(scores(results, m, "coverage") - 0.8) <= 0.05) for m in ("ours", "hgb")]
    mean = table(
        ["ours / HistGradientBoosting, geometric mean", "pinball loss", "seconds"],
        [["of three levels", *ratios]],
    )
    header = ["set", "pinball loss, ours divided by theirs", "coverage, ours", "coverage, theirs"]
    count = (
        f"The coverage is within 5 points of 80 % on {near[0]} of {len(rows)} sets; that of "
        f"HistGradientBoosting on {near[1]}."
    )
    return f"{mean}\n\n{count}\n\n{table(header, rows)}"


def tables(name, *makers):
    """Return a file's tables, what it was measured with, and the command."""
    file = read(name)
    blocks = [make(file["results"]) for make in makers]
    return "\n\n".join([*blocks, f"{file['about']}.", f"    python {file['command']}"])


def speed():
    """Return the page of speed.py."""
    return (FILES / "speed.md").read_text().strip()


BLOCKS = {
    "summary": lambda: summary(accuracy()),
    "accuracy": lambda: tables(
        "accuracy",
        summary,
        comparison,
        losses,
        lambda results: per_set(results, "error"),
        lambda results: per_set(results, "log-loss"),
    ),
    "tables": lambda: of_tables(without("both", read("mixed")["results"])),
    "mixed": lambda: tables("mixed", mixed),
    "text": lambda: tables("text", text),
    "unseen": lambda: summary(
        {
            method: {name: row for name, row in rows.items() if name in UNSEEN}
            for method, rows in accuracy().items()
        }
    ),
    "efforts": lambda: tables("efforts", relative),
    "mnist": lambda: tables("mnist", mnist),
    "streams": lambda: tables("streams", streams),
    "speed": speed,
    "serving": lambda: tables("serving", serving),
    "onnx": lambda: tables("onnx", parity),
    "cluster": lambda: tables("cluster", cluster),
    "strange": lambda: tables("strange", strange),
    "numbers": lambda: of_numbers(read("regression")["results"]),
    "quantiles": lambda: tables("quantiles", quantiles),
    "regression": lambda: tables("regression", regression),
}


def fill(text):
    """Return the text of a page with its blocks renewed."""
    return re.sub(
        r"<!-- (\w+) -->\n.*?<!-- end -->",
        lambda match: f"<!-- {match[1]} -->\n{BLOCKS[match[1]]()}\n<!-- end -->",
        text,
        flags=re.DOTALL,
    )


def main():
    for page in PAGES:
        page.write_text(fill(page.read_text()))


if __name__ == "__main__":
    main()
