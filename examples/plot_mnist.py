"""Learn MNIST with two layers, 784-256-10, and look at what was learnt.

The architecture is that of a well-known student project, which reached 93.39 % test accuracy in
150 epochs of full-batch gradient descent. Run it with

    python examples/plot_mnist.py [--data-dir DIR] [--epochs 10] [--output mnist.png]

It writes a figure and the saved model (.joblib) beside it. Without MNIST it runs on the small
digits that come with scikit-learn.
"""

import argparse
from pathlib import Path

import joblib
import matplotlib as mpl
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from sknumpynet import NumpyMLPClassifier
from sknumpynet.datasets import fetch_mnist

mpl.use("Agg")
import matplotlib.pyplot as plt

STUDENT_PROJECT = 0.9339


def load(data_dir):
    """Return X_train, X_test, y_train, y_test and the name of the data."""
    try:
        X_train, y_train = fetch_mnist(data_dir, subset="train", return_X_y=True)
        X_test, y_test = fetch_mnist(data_dir, subset="test", return_X_y=True)
    except OSError as error:
        print(f"MNIST can't be had ({error}); using scikit-learn's 8 x 8 digits instead.")
        X, y = load_digits(return_X_y=True)
        return *train_test_split(X, y, test_size=0.3, stratify=y, random_state=0), "digits"
    return X_train, X_test, y_train, y_test, "MNIST"


def train(model, X_train, y_train, X_test, y_test, n_epochs):
    """Train `model` epoch by epoch; return training and test accuracy after each."""
    scaler, classifier = model
    X, X_held_out = scaler.fit_transform(X_train), scaler.transform(X_test)
    curve = []
    for epoch in range(1, n_epochs + 1):
        classifier.partial_fit(X, y_train, classes=np.unique(y_train))
        curve.append((classifier.score(X, y_train), classifier.score(X_held_out, y_test)))
        print(
            f"epoch {epoch:2d}   loss {classifier.loss_:.4f}   "
            f"accuracy {curve[-1][0]:.4f} train, {curve[-1][1]:.4f} test"
        )
    return np.array(curve)


def draw(model, accuracy, X_test, y_test, name, path):
    """Save a figure: curves, first-layer weights and the most confident mistakes."""
    classifier = model[-1]
    figure = plt.figure(figsize=(12, 9), layout="constrained")
    curves, pictures = figure.subfigures(2, 1, height_ratios=[2, 3])
    epochs = np.arange(1, len(accuracy) + 1)

    left, right = curves.subplots(1, 2)
    left.plot(epochs, accuracy[:, 0], marker=".", label="training")
    left.plot(epochs, accuracy[:, 1], marker=".", label="test")
    if name == "MNIST":
        left.axhline(STUDENT_PROJECT, color="gray", linestyle=":", label="student project, test")
    left.set(xlabel="epoch", ylabel="accuracy", title=f"{name}: accuracy")
    left.legend()
    right.plot(epochs, classifier.loss_curve_, marker=".", color="tab:green")
    right.set(xlabel="epoch", ylabel="cross-entropy", title="training loss")

    weights, mistakes = pictures.subfigures(1, 2)
    side = int(np.sqrt(X_test.shape[1]))
    weights.suptitle("weights into the first 25 hidden units")
    W = classifier.coefs_[0]
    bound = np.abs(W[:, :25]).max()
    for axes, w in zip(weights.subplots(5, 5).flat, W.T, strict=False):
        axes.imshow(w.reshape(side, side), cmap="RdBu", vmin=-bound, vmax=bound)
        axes.axis("off")

    mistakes.suptitle("most confident mistakes: predicted (true)")
    proba = model.predict_proba(X_test)
    predicted = classifier.classes_[proba.argmax(axis=1)]
    wrong = np.flatnonzero(predicted != y_test)
    wrong = wrong[np.argsort(-proba[wrong].max(axis=1))]
    grid = mistakes.subplots(4, 4).ravel()
    for axes in grid:
        axes.axis("off")
    for axes, i in zip(grid, wrong, strict=False):
        axes.imshow(np.reshape(X_test[i], (side, side)), cmap="gray_r")
        axes.set_title(f"{predicted[i]} ({y_test[i]}), {proba[i].max():.2f}", fontsize=9)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data-dir", help="directory with the IDX files of MNIST")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--output", type=Path, default=Path("mnist.png"), help="the figure")
    arguments = parser.parse_args()

    X_train, X_test, y_train, y_test, name = load(arguments.data_dir)
    model = make_pipeline(
        MinMaxScaler(), NumpyMLPClassifier(hidden_layer_sizes=256, random_state=0)
    )
    accuracy = train(model, X_train, y_train, X_test, y_test, arguments.epochs)
    print(f"{name}: accuracy {accuracy[-1, 0]:.2%} training, {accuracy[-1, 1]:.2%} test")
    if name == "MNIST":
        print(f"the student project on the same layers: {STUDENT_PROJECT:.2%} test")

    draw(model, accuracy, X_test, y_test, name, arguments.output)
    saved = arguments.output.with_suffix(".joblib")
    joblib.dump(model, saved)
    loaded = joblib.load(saved)
    same = np.array_equal(loaded.predict_proba(X_test), model.predict_proba(X_test))
    print(f"figure: {arguments.output}; model: {saved}, predicts the same when loaded: {same}")


if __name__ == "__main__":
    main()
