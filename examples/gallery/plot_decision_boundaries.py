"""
Decision boundaries
===================

Two features can be drawn, and with them the boundary between two classes. This example compares
activations, depths and the encoding of :class:`sknumpynet.NumericalEncoder` on two small data sets.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import make_circles, make_moons
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknumpynet import NumericalEncoder, NumpyMLPClassifier

data_sets = [
    make_moons(400, noise=0.25, random_state=0),
    make_circles(400, noise=0.15, factor=0.5, random_state=0),
]


# %%
# Without a hidden layer, the network is logistic regression and its boundary is a straight line.
# With the encoding in front, the model is a piecewise-linear function of each feature, but
# the features only add up. Hidden layers make any boundary possible: ReLU gives corners, and tanh a
# smooth curve.
def mlp(hidden_layer_sizes, activation="relu"):
    """Return a network that is trained by L-BFGS, which suits small data."""
    return NumpyMLPClassifier(
        hidden_layer_sizes, activation, solver="lbfgs", tol=1e-3, max_iter=1000, random_state=0
    )


models = {
    "no hidden layer": make_pipeline(StandardScaler(), mlp(())),
    "encoding,\nno hidden layer": make_pipeline(NumericalEncoder(n_bins=8), mlp(())),
    "8 ReLU": make_pipeline(StandardScaler(), mlp(8)),
    "32 + 32 ReLU": make_pipeline(StandardScaler(), mlp((32, 32))),
    "32 tanh": make_pipeline(StandardScaler(), mlp(32, "tanh")),
}

# %%
# The shade is the predicted probability of the second class, and the line is the boundary at 0.5.
# Circles and triangles are test points of the two classes.
figure, grid = plt.subplots(2, len(models), figsize=(12, 5.6), layout="constrained")
for row, (X, y) in zip(grid, data_sets, strict=True):
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=0)
    for ax, (name, model) in zip(row, models.items(), strict=True):
        model.fit(X_train, y_train)
        options = {"response_method": "predict_proba", "grid_resolution": 150, "eps": 0.4, "ax": ax}
        shades = DecisionBoundaryDisplay.from_estimator(
            model, X, plot_method="pcolormesh", cmap="cividis", vmin=0, vmax=1, **options
        )
        DecisionBoundaryDisplay.from_estimator(
            model, X, plot_method="contour", levels=[0.5], colors="white", **options
        )
        for label, marker, color in (0, "o", "white"), (1, "^", "black"):
            points = X_test[y_test == label]
            ax.scatter(*points.T, s=14, marker=marker, c=color, edgecolors="0.4", linewidths=0.5)
        ax.set(xlabel="", ylabel="", xticks=[], yticks=[])
        ax.set_title(f"{name}\ntest accuracy {model.score(X_test, y_test):.2f}", fontsize=10)
figure.colorbar(shades.surface_, ax=grid, label="predicted probability", shrink=0.7)
figure.supxlabel("first feature", fontsize=10)
figure.supylabel("second feature", fontsize=10)
plt.show()
