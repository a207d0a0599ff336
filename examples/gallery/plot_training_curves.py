"""
Training curves
===============

:class:`sknumpynet.TrainingCurveDisplay` draws the loss of each epoch. Several estimators on the
same axes show at a glance which learning rate is too small, which one is too large, and when a
network begins to overfit.
"""

import warnings

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from sknumpynet import NumpyMLPClassifier, TrainingCurveDisplay

# The number of epochs is fixed here, so training may end while the loss is still falling.
warnings.filterwarnings("ignore", category=ConvergenceWarning)

X, y = load_digits(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(
    X / 16, y, test_size=0.3, stratify=y, random_state=0
)

# %%
# Three learning rates
# --------------------
# Without ``early_stopping``, validation data are only recorded: they do not influence training.
# Solid lines are the training loss, dashed lines the validation loss.
styles = {1e-4: ("#e08214", "s"), 1e-2: ("black", "o"), 0.3: ("#8073ac", "^")}
figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
for learning_rate, (color, marker) in styles.items():
    mlp = NumpyMLPClassifier(
        preset="sklearn",
        learning_rate_init=learning_rate,
        max_iter=50,
        n_iter_no_change=50,
        random_state=0,
    )
    mlp.fit(X_train, y_train, X_val=X_val, y_val=y_val)
    TrainingCurveDisplay.from_estimator(
        mlp, ax=axes, name=f"{learning_rate:g}", color=color, marker=marker, markevery=10
    )
    losses = mlp.history_["validation_loss"]
    print(
        f"learning rate {learning_rate:g}: validation loss {losses[-1]:.3f} at the end, "
        f"{min(losses):.3f} at best"
    )
axes.set_title("preset='sklearn', three learning rates")
figure.legend(*axes.get_legend_handles_labels(), loc="outside right center")
axes.get_legend().remove()

# %%
# The smallest learning rate has not converged after 50 epochs. The largest one makes the loss jump,
# and it stays high. With the one in between the training loss falls steadily, while the validation
# loss levels off.

# %%
# The default
# -----------
# With the default ``preset='tuned'``, ``fit`` begins with a pilot run, which holds rows out to find
# out how long to train. It is drawn in a paler shade, and a dotted line marks its end. The
# validation loss is that of the rows that it held out. Afterwards the network is trained on all
# rows. The training loss is higher there at first, because a fifth of the rows are new to it.
default = NumpyMLPClassifier(random_state=0).fit(X_train, y_train)
print(f"{default.n_iter_} epochs, accuracy {default.score(X_val, y_val):.4f} on the validation set")
figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
TrainingCurveDisplay.from_estimator(default, ax=axes, color="black")
axes.set_title("The default, with its pilot run")
plt.show()
