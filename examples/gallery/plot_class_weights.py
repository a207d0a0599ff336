"""
Class weights for an imbalanced problem
=======================================

If one class is rare, a classifier that maximises accuracy seldom predicts it. ``class_weight``
makes the errors of the rare class count more. This raises the recall and lowers the precision.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import make_classification
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    precision_score,
    recall_score,
)
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknumpynet import NumpyMLPClassifier

# %%
# About one row in twenty is positive.
X, y = make_classification(
    6000, n_informative=6, weights=[0.95], class_sep=0.9, flip_y=0.02, random_state=0
)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)

# %%
# 'balanced' gives both classes the same total weight. A dict gives any weights; a label that is
# not in it has the weight 1.
settings = {
    "None": (None, "black", "-", "o"),
    "{1: 5}": ({1: 5}, "#5e3c99", "--", "s"),
    "'balanced'": ("balanced", "#e08214", "-.", "^"),
}
figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
for name, (class_weight, color, linestyle, marker) in settings.items():
    mlp = NumpyMLPClassifier(effort=0.25, class_weight=class_weight, random_state=0)
    model = make_pipeline(StandardScaler(), mlp).fit(X_train, y_train)
    predicted = model.predict(X_test)
    precision, recall = precision_score(y_test, predicted), recall_score(y_test, predicted)
    proba = model.predict_proba(X_test)[:, 1]
    precisions, recalls, _ = precision_recall_curve(y_test, proba)
    axes.plot(recalls, precisions, color=color, linestyle=linestyle, label=f"class_weight={name}")
    axes.plot(recall, precision, marker, color=color, markersize=10)
    print(
        f"class_weight={name}: precision {precision:.2f}, recall {recall:.2f}, "
        f"accuracy {model.score(X_test, y_test):.3f}, "
        f"average precision {average_precision_score(y_test, proba):.3f}"
    )
axes.set(
    xlabel="recall",
    ylabel="precision",
    title="Precision and recall on the test set; the markers show predict()",
)
axes.legend()

# %%
# The curves show all thresholds of the predicted probability. Class weights mainly move the point
# at which ``predict`` decides, towards more recall. They do not improve the ranking of the rows:
# the curves of the weighted networks lie somewhat lower here. They also change the predicted
# probabilities, which are then no longer the frequencies in the data. If only the decision
# matters, scikit-learn's ``TunedThresholdClassifierCV`` is an alternative.
plt.show()
