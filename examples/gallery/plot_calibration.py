"""
Calibrated probabilities
========================

Predicted probabilities are calibrated if, among the rows with a prediction of 0.8, eight in ten
are positive. A network that overfits is too confident. The default, ``preset='tuned'``, uses
held-out rows to choose the length of training and the temperature of the probabilities.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.calibration import CalibrationDisplay
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknumpynet import NumpyMLPClassifier

# MLPClassifier's default is to stop after 200 epochs, converged or not.
warnings.filterwarnings("ignore", category=ConvergenceWarning)

# %%
# The labels are drawn with probabilities that depend on four of twenty features. 2000 rows are few
# for this, and a large network can overfit them.
rng = np.random.RandomState(0)
X = rng.normal(size=(6000, 20))
logit = X[:, 0] + X[:, 1] + np.sin(X[:, 2]) + np.abs(X[:, 3]) - 0.8
y = rng.uniform(size=len(X)) < 1 / (1 + np.exp(-logit))
models = {
    "NumpyMLPClassifier": (NumpyMLPClassifier(), "black", "o", "-"),
    "MLPClassifier": (MLPClassifier(), "#e08214", "s", "--"),
    "MLPClassifier,\nearly_stopping": (MLPClassifier(early_stopping=True), "#8073ac", "^", "-."),
}

# %%
# A single split can be lucky or unlucky, so the predictions of five splits are drawn together. Each
# point of a curve is a tenth of them, ordered by the predicted probability. A model is too
# confident if its curve is above the diagonal on the left and below it on the right.
figure, (left, right) = plt.subplots(
    1, 2, figsize=(9, 4.5), layout="constrained", width_ratios=[3, 2]
)
for name, (mlp, color, marker, linestyle) in models.items():
    labels, probabilities, losses = [], [], []
    for seed in range(5):
        X_train, X_test, y_train, y_test = train_test_split(
            X, y, train_size=2000, random_state=seed
        )
        model = make_pipeline(StandardScaler(), clone(mlp).set_params(random_state=seed))
        probabilities.append(model.fit(X_train, y_train).predict_proba(X_test)[:, 1])
        labels.append(y_test)
        losses.append(log_loss(y_test, probabilities[-1]))
    labels, probabilities = np.concatenate(labels), np.concatenate(probabilities)
    style = {"color": color, "linestyle": linestyle}
    CalibrationDisplay.from_predictions(
        labels,
        probabilities,
        n_bins=10,
        strategy="quantile",
        name=name,
        ax=left,
        marker=marker,
        **style,
    )
    right.hist(probabilities, np.linspace(0, 1, 21), histtype="step", label=name, **style)
    print(
        f"{' '.join(name.split())}: accuracy {np.mean((probabilities > 0.5) == labels):.3f}, "
        f"log-loss {np.mean(losses):.3f} (from {min(losses):.3f} to {max(losses):.3f})"
    )
left.set(xlabel="predicted probability (mean)", ylabel="fraction of positives")
left.set_title("Reliability curves")
right.set(xlabel="predicted probability", ylabel="test rows of five splits")
right.set_title("Predicted probabilities")

# %%
# The histograms show why: scikit-learn's network, trained for 200 epochs, often predicts a
# probability close to 0 or 1. The default of this package is as well calibrated as early
# stopping, at a higher accuracy, but in one of the five splits it trains for too long and is too
# confident. The differences depend on the data: they are small where no network overfits.
plt.show()
