"""
Sparse features of text
=======================

:class:`sknumpynet.NumpyMLPClassifier` accepts sparse matrices and never converts them to dense
ones as a whole. The texts of this example are docstrings: from the first lines of a function's
documentation, the classifier predicts which part of SciPy the function belongs to.
"""

from importlib import import_module

import matplotlib.pyplot as plt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sknumpynet import NumpyMLPClassifier

# %%
# The text of a function is its docstring up to the list of parameters, without the signature and
# the function's name.
texts, labels = [], []
for part in ("linalg", "ndimage", "optimize", "signal", "sparse", "spatial", "special", "stats"):
    module = import_module(f"scipy.{part}")
    for name in module.__all__:
        lines = (getattr(module, name).__doc__ or "").partition("Parameters\n")[0].splitlines()
        text = " ".join(line for line in lines if f"{name}(" not in line).replace(name, "")
        if len(text.split()) >= 5:
            texts.append(text)
            labels.append(part)
X_train, X_test, y_train, y_test = train_test_split(
    texts, labels, test_size=0.3, stratify=labels, random_state=0
)
print(f"{len(texts)} texts, for instance: {' '.join(texts[0].split())[:80]}")

# %%
# ``TfidfVectorizer`` makes a sparse matrix with one column for each word. Its rows have a norm of 1
# and need no further scaling. ``LogisticRegression`` is a strong baseline for text.
models = {
    "LogisticRegression": LogisticRegression(C=10, max_iter=1000),
    "NumpyMLPClassifier": NumpyMLPClassifier(effort=0.25, random_state=0),
}
figure, axes = plt.subplots(1, 2, figsize=(10, 4.8), layout="constrained", sharey=True)
for ax, (name, classifier) in zip(axes, models.items(), strict=True):
    vectorizer = TfidfVectorizer(sublinear_tf=True, stop_words="english")
    model = make_pipeline(vectorizer, classifier).fit(X_train, y_train)
    accuracy = model.score(X_test, y_test)
    ConfusionMatrixDisplay.from_estimator(
        model, X_test, y_test, ax=ax, cmap="cividis", colorbar=False, xticks_rotation="vertical"
    )
    ax.set_title(f"{name}: {accuracy:.1%} test accuracy")
    print(f"{name}: {accuracy:.4f} test accuracy, {len(vectorizer.vocabulary_)} words")
plt.show()
