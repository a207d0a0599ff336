"""
Early stopping with a validation set of your own
================================================

``fit`` accepts validation data. With ``early_stopping=True`` it monitors their score, stops when
the score no longer improves, and keeps the parameters of the best epoch. In a pipeline,
``transform_input`` transforms the validation data as the training data are transformed.
"""

import warnings

import matplotlib.pyplot as plt
import sklearn
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknumpynet import NumpyMLPClassifier

# One of the runs trains for a fixed number of epochs.
warnings.filterwarnings("ignore", category=ConvergenceWarning)

# %%
# A tenth of the labels are random, so a network that is trained for too long learns noise. The
# validation set chooses the epoch. The test set is used only for the final scores.
X, y = make_classification(3000, n_informative=8, flip_y=0.1, class_sep=0.8, random_state=0)
X_train, X_rest, y_train, y_rest = train_test_split(X, y, train_size=600, random_state=0)
X_val, X_test, y_val, y_test = train_test_split(X_rest, y_rest, test_size=0.5, random_state=0)


# %%
# The pipeline passes ``X_val`` through its scaler. That needs scikit-learn's metadata routing.
def fit(**settings):
    """Return a pipeline with a network, trained with validation data."""
    mlp = NumpyMLPClassifier(
        preset="sklearn", learning_rate_init=3e-3, scoring="loss", random_state=0, **settings
    )
    with sklearn.config_context(enable_metadata_routing=True):
        mlp.set_fit_request(X_val=True, y_val=True)
        model = make_pipeline(StandardScaler(), mlp, transform_input=["X_val"])
        return model.fit(X_train, y_train, X_val=X_val, y_val=y_val)


# %%
# The first network trains for 100 epochs and only records the validation loss. The second one stops
# after 10 epochs without improvement.
long = fit(max_iter=100, n_iter_no_change=100)
stopped = fit(max_iter=100, early_stopping=True, n_iter_no_change=10)
scores = stopped[-1].validation_scores_
best_epoch = scores.index(max(scores)) + 1
for name, model in ("100 epochs", long), ("early stopping", stopped):
    print(
        f"{name}: {model[-1].n_iter_} epochs, test log-loss "
        f"{log_loss(y_test, model.predict_proba(X_test)):.3f}, "
        f"test accuracy {model.score(X_test, y_test):.3f}"
    )

# %%
# The training loss keeps falling, but the validation loss rises again: the network is overfitting.
# Early stopping keeps the parameters of the minimum.
history = long[-1].history_
figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
axes.plot(history["epoch"], history["loss"], color="0.5", label="training loss")
axes.plot(history["epoch"], history["validation_loss"], "k--", label="validation loss")
axes.axvline(stopped[-1].n_iter_, color="black", linestyle=":", label="early stopping ends here")
axes.plot(best_epoch, -max(scores), "ko", markersize=8, label="parameters that are kept")
axes.set(xlabel="epoch", ylabel="loss", title="Early stopping on noisy labels")
axes.legend()
plt.show()
