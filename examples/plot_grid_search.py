"""Tune a Pipeline by a grid search on the digits that come with scikit-learn.

    python examples/plot_grid_search.py [--output grid_search.png]

The grid has sixteen candidates, evaluated in five folds by two processes. The best candidate is
refitted and scored on a test set.
"""

import argparse
from pathlib import Path

import matplotlib as mpl
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler

from sknumpynet import NumpyMLPClassifier

mpl.use("Agg")
import matplotlib.pyplot as plt

GRID = {
    "mlp__hidden_layer_sizes": [(32,), (128,)],
    "mlp__alpha": [1e-4, 1e-2, 1.0, 10.0],
    "mlp__activation": ["relu", "tanh"],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, default=Path("grid_search.png"), help="the figure")
    output = parser.parse_args().output

    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
    settings = {"learning_rate_init": 5e-3, "max_iter": 100, "tol": 1e-3, "random_state": 0}
    mlp = NumpyMLPClassifier(preset="sklearn", **settings)
    pipeline = Pipeline([("scale", MinMaxScaler()), ("mlp", mlp)])
    search = GridSearchCV(pipeline, GRID, n_jobs=2).fit(X_train, y_train)
    print(f"best of the grid: {search.best_params_}")
    print(f"accuracy: {search.best_score_:.4f} in 5 folds, {search.score(X_test, y_test):.4f} test")

    figure, axes = plt.subplots(layout="constrained")
    results = search.cv_results_
    for size in GRID["mlp__hidden_layer_sizes"]:
        for activation in GRID["mlp__activation"]:
            chosen = [
                i
                for i, params in enumerate(results["params"])
                if params["mlp__hidden_layer_sizes"] == size
                and params["mlp__activation"] == activation
            ]
            axes.errorbar(
                GRID["mlp__alpha"],
                results["mean_test_score"][chosen],
                results["std_test_score"][chosen],
                marker="o",
                capsize=3,
                label=f"{activation}, {size[0]} units",
            )
    axes.set(xscale="log", xlabel="alpha", ylabel="accuracy in 5 folds", title="digits")
    axes.legend()
    figure.savefig(output, dpi=100)
    print(f"figure: {output}")


if __name__ == "__main__":
    main()
