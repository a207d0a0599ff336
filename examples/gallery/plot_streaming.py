"""
Learning from a file that does not fit into memory
==================================================

``partial_fit`` learns from one block of rows at a time. Here the rows are in a file, which
``numpy.memmap`` reads block by block. Each block is predicted before it is learnt, so the accuracy
is always that of rows the network has not seen.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_classification
from sklearn.linear_model import SGDClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from sknumpynet import NumpyMLPClassifier

# %%
# Write the file. A real one would come from elsewhere and be much larger.
N_ROWS, N_FEATURES, BLOCK = 20_000, 20, 500
directory = TemporaryDirectory()
path = Path(directory.name) / "X.float32"
X, y = make_classification(
    N_ROWS, N_FEATURES, n_informative=10, n_classes=4, flip_y=0.02, random_state=0
)
X.astype(np.float32).tofile(path)
del X

# %%
# A ``StandardScaler`` learns by ``partial_fit`` as well. Each block is scaled by the means and
# deviations of the rows seen so far.
models = {
    "NumpyMLPClassifier": (NumpyMLPClassifier(random_state=0), "black", "-"),
    "MLPClassifier": (MLPClassifier(random_state=0), "#e08214", "--"),
    "SGDClassifier": (SGDClassifier(random_state=0), "0.5", ":"),
}
accuracy = {name: [] for name in models}
rows = np.memmap(path, np.float32, "r", shape=(N_ROWS, N_FEATURES))
scaler, classes = StandardScaler(), np.unique(y)
for start in range(0, N_ROWS, BLOCK):
    block = slice(start, start + BLOCK)
    X_block = scaler.partial_fit(rows[block]).transform(rows[block])
    for name, (model, _, _) in models.items():
        if start > 0:
            accuracy[name].append(model.score(X_block, y[block]))
        model.partial_fit(X_block, y[block], classes=classes)
del rows
directory.cleanup()

# %%
# The accuracy of each block, before the models have learnt from it. Each model sees every
# row once. The default minibatch of ``partial_fit`` has 16 rows here and 200 rows in
# ``MLPClassifier``, which therefore takes fewer steps.
figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
seen = np.arange(BLOCK, N_ROWS, BLOCK)
for name, (_, color, linestyle) in models.items():
    axes.plot(seen, accuracy[name], color=color, linestyle=linestyle, label=name)
    print(f"{name}: mean accuracy of the last ten blocks {np.mean(accuracy[name][-10:]):.3f}")
axes.set(
    xlabel="rows seen", ylabel="accuracy of the next block", title="One pass over a stream of rows"
)
axes.legend()
plt.show()
