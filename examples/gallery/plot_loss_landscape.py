"""
The loss around a trained network
=================================

The parameters of a fitted network can be assigned. This example moves them along two random
directions and draws the training and the test loss of the networks that result.
"""

from copy import deepcopy

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from sknumpynet import NumpyMLPClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, test_size=0.3, stratify=y, random_state=0
)
mlp = NumpyMLPClassifier((32, 32), random_state=0).fit(X_train, y_train)
print(f"test accuracy {mlp.score(X_test, y_test):.4f}")

# %%
# A direction is a random array for each weight matrix. The weights into a unit have the same norm
# in the direction as in the network, so that one step means the same in all layers. [1]_ The
# biases stay.
rng = np.random.RandomState(0)


def random_direction():
    """Return an array for each of the weight matrices."""
    direction = [rng.normal(size=W.shape) for W in mlp.coefs_]
    for D, W in zip(direction, mlp.coefs_, strict=True):
        D *= np.linalg.norm(W, axis=0) / np.linalg.norm(D, axis=0)
    return direction


first, second = random_direction(), random_direction()

# %%
# ``coefs_`` are views of the network's parameters. Assigning them changes what the network
# predicts, so this is done on a copy.
moved = deepcopy(mlp)


def losses_at(a, b):
    """Return the training and the test loss after a step of a and b along the directions."""
    moved.coefs_ = [W + a * D + b * E for W, D, E in zip(mlp.coefs_, first, second, strict=True)]
    return [
        log_loss(labels, moved.predict_proba(rows))
        for rows, labels in ((X_train, y_train), (X_test, y_test))
    ]


steps = np.linspace(-1, 1, 31)
surface = np.array([[losses_at(a, b) for a in steps] for b in steps])
cut = np.array([losses_at(a, 0) for a in steps])

# %%
# The contours are spaced logarithmically. Around the trained network, which is in the centre, the
# loss has a wide basin. The test loss has its minimum close to that of the training loss.
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.2), layout="constrained")
levels = np.geomspace(surface.min(), surface.max(), 13)
filled = left.contourf(steps, steps, surface[..., 0], levels, cmap="viridis", norm="log")
left.contour(steps, steps, surface[..., 0], levels, colors="white", linewidths=0.5)
left.plot(0, 0, "k+", markersize=12, markeredgewidth=2)
left.set(xlabel="first direction", ylabel="second direction", title="Training loss", aspect="equal")
figure.colorbar(filled, ax=left, format="%.2g")
right.plot(steps, cut[:, 0], color="0.5", label="training loss")
right.plot(steps, cut[:, 1], "k--", label="test loss")
right.set(xlabel="first direction", ylabel="loss", yscale="log", title="Along the first direction")
right.legend()
plt.show()

# %%
# .. [1] Li et al., "Visualizing the Loss Landscape of Neural Nets", NeurIPS 2018.
