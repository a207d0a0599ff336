"""
Learning-rate schedules
=======================

A schedule changes the learning rate during training. This example trains the same network with
each schedule, and draws the learning rate and the losses that ``history_`` records for each epoch.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from sknumpynet import NumpyMLPClassifier

# The number of epochs is fixed here, so training may end while the loss is still falling.
warnings.filterwarnings("ignore", category=ConvergenceWarning)

# %%
# A tenth of the labels are random, so the gradients of minibatches are noisy.
X, y = make_classification(9000, n_informative=10, n_classes=4, flip_y=0.1, random_state=0)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=1 / 3, random_state=0)
scaler = StandardScaler().fit(X_train)
X_train, X_val = scaler.transform(X_train), scaler.transform(X_val)

# %%
# Stochastic gradient descent with momentum starts from a learning rate of 0.1. 'adaptive' divides
# it by 5 when the loss has not improved by ``tol`` for three epochs. The other schedules depend
# only on the progress of training.
patience = {"n_iter_no_change": 3, "tol": 1e-3}
schedules = {
    "constant": ("0.65", "-", {}),
    "adaptive": ("0.45", (0, (2, 1)), patience),
    "invscaling": ("#e08214", ":", {"power_t": 0.25}),
    "linear": ("#5e3c99", (0, (9, 3)), {}),
    "cosine": ("#5e3c99", "-", {}),
    "one_cycle": ("black", "-.", {}),
}
figure, axes = plt.subplots(1, 3, figsize=(11, 4.5), layout="constrained")
columns = {"learning_rate": "learning rate", "loss": "training loss"}
columns["validation_loss"] = "validation loss"
for name, (color, linestyle, settings) in schedules.items():
    mlp = NumpyMLPClassifier(
        16,
        preset="sklearn",
        solver="sgd",
        learning_rate=name,
        learning_rate_init=0.1,
        batch_size=32,
        max_iter=30,
        random_state=0,
        **{"n_iter_no_change": np.inf, **settings},
    )
    mlp.fit(X_train, y_train, X_val=X_val, y_val=y_val)
    history = mlp.history_
    for ax, column in zip(axes, columns, strict=True):
        ax.plot(history["epoch"], history[column], color=color, linestyle=linestyle, label=name)
    print(
        f"{name:10}  training loss {history['loss'][-1]:.3f}, "
        f"validation loss {history['validation_loss'][-1]:.3f}"
    )
for ax, label in zip(axes, columns.values(), strict=True):
    ax.set(xlabel="epoch", ylabel=label)
for ax in axes[1:]:
    ax.set_ylim(0.55, 1.15)
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=6)

# %%
# With a constant learning rate, the noise of the steps keeps the loss high and makes it jump from
# epoch to epoch. Every schedule that lowers the learning rate ends with a lower loss. The
# schedules that end at 0 have the lowest training loss.
plt.show()
