"""
Searching hyper-parameters with little effort
=============================================

A search trains many networks, most of which are dropped. Successive halving trains all candidates
for a few epochs, and the better ones for more. The schedule of the learning rate ends at the last
epoch of each of these short trainings, so they are comparable. The winner is trained in full.
"""

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingGridSearchCV, train_test_split

from sknumpynet import NumpyMLPClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, test_size=0.3, stratify=y, random_state=0
)

# %%
# Twelve candidates. The resource is ``max_iter``, the number of epochs: 4 for all candidates, then
# 12 for the best third, then 36 for the best third of those.
grid = {
    "hidden_layer_sizes": [(32,), (128,), (128, 128)],
    "activation": ["relu", "gelu"],
    "dropout": [0.0, 0.3],
}
search = HalvingGridSearchCV(
    NumpyMLPClassifier(random_state=0),
    grid,
    resource="max_iter",
    min_resources=4,
    max_resources=36,
    factor=3,
    cv=3,
    refit=False,
    random_state=0,
)
search.fit(X_train, y_train)
print(f"best candidate: {search.best_params_}, {search.best_score_:.4f} in 3 folds")

# %%
# The winner is trained with the default number of epochs. The test set was not used by the search.
best = {name: value for name, value in search.best_params_.items() if name != "max_iter"}
for name, parameters in ("default settings", {}), ("best candidate", best):
    model = NumpyMLPClassifier(random_state=0, **parameters).fit(X_train, y_train)
    print(f"{name}, in full: {model.score(X_test, y_test):.4f} test accuracy")

# %%
# Each line is a candidate. A line ends where the candidate was dropped.
markers = {(32,): "o", (128,): "s", (128, 128): "^"}
results = pd.DataFrame(search.cv_results_)
figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
for candidate, runs in results.groupby([f"param_{name}" for name in grid]):
    sizes, activation, dropout = candidate
    axes.plot(
        runs["n_resources"],
        1 - runs["mean_test_score"],
        marker=markers[sizes],
        color="black" if activation == "relu" else "#e08214",
        linestyle="--" if dropout else "-",
        markerfacecolor="none" if dropout else None,
        label=f"{sizes}, {activation}, dropout {dropout:g}",
    )
epochs = results["n_resources"].unique()
axes.set(xscale="log", yscale="log", xlabel="epochs (max_iter)", ylabel="error in 3 folds")
axes.set(title="Successive halving on the digits", xticks=epochs, xticklabels=epochs)
axes.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
figure.legend(loc="outside right center", fontsize="small")
plt.show()
