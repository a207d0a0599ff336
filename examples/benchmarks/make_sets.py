"""Write scikit-learn's small data sets and some synthetic ones, in the form accuracy.py reads.

    python examples/benchmarks/make_sets.py DIR [--others]
    SKNUMPYNET_DATA=DIR python examples/benchmarks/accuracy.py --cv

Nothing is downloaded. The length of training in the tuned preset was chosen on these sets, together
with iris and wine. No default was chosen on the remaining sets of --others.
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn import datasets


def mixture(**settings):
    """Return clusters of normal features."""
    return datasets.make_classification(random_state=0, **settings)


def checkerboard(n, d, flipped, n_informative=2):
    """Return a checkerboard in the first features of d, with a fraction of the labels flipped."""
    rng = np.random.RandomState(0)
    X = rng.rand(n, d)
    y = np.floor(4 * X[:, :n_informative]).sum(axis=1).astype(int) % 2
    return X, np.where(rng.rand(n) < flipped, 1 - y, y)


def friedman(n):
    """Return Friedman's first function of ten features, with noise, cut at its quartiles."""
    X, t = datasets.make_friedman1(n, 10, noise=1.0, random_state=0)
    return X, np.digitize(t, np.quantile(t, [0.25, 0.5, 0.75]))


def long_tails(n):
    """Return twelve log-normal features, of which four determine the class."""
    rng = np.random.RandomState(0)
    Z = rng.randn(n, 12)
    score = Z[:, 0] * Z[:, 1] + np.sin(2 * Z[:, 2]) + Z[:, 3]
    return np.exp(1.5 * Z), (score + 0.5 * rng.randn(n) > 0).astype(int)


def network(n, d, units, n_classes, noise):
    """Return normal features, labelled by a random network with two hidden layers."""
    rng = np.random.RandomState(0)
    X = A = rng.randn(n, d)
    for _ in range(2):
        A = np.maximum(0, A @ rng.randn(A.shape[1], units) / np.sqrt(A.shape[1] / 2))
    Z = (A - A.mean(axis=0)) @ rng.randn(units, n_classes)
    return X, (Z / Z.std() + noise * rng.gumbel(size=Z.shape)).argmax(axis=1)


SETS = {
    "cancer": datasets.load_breast_cancer(return_X_y=True),
    "digits": datasets.load_digits(return_X_y=True),
    "moons": datasets.make_moons(2000, noise=0.25, random_state=0),
    "circles": datasets.make_circles(2000, noise=0.15, factor=0.6, random_state=0),
    "hastie": datasets.make_hastie_10_2(4000, random_state=0),
    "quantiles": datasets.make_gaussian_quantiles(
        n_samples=4000, n_features=8, n_classes=4, random_state=0
    ),
    "clusters": mixture(n_samples=3000, n_features=40, n_informative=8, n_classes=5, class_sep=1.5),
    "clusters_noisy": mixture(
        n_samples=3000,
        n_features=20,
        n_informative=10,
        n_classes=3,
        n_clusters_per_class=4,
        flip_y=0.1,
    ),
    "clusters_wide": mixture(n_samples=600, n_features=500, n_informative=20, n_redundant=50),
    "clusters_rare": mixture(
        n_samples=5000, n_features=15, n_informative=6, weights=[0.95], flip_y=0.02
    ),
    "checkerboard": checkerboard(5000, 4, 0.05),
    "friedman": friedman(4000),
    "long_tails": long_tails(4000),
}

# Apart from iris and wine, no default was chosen on these sets.
OTHERS = {
    "iris": datasets.load_iris(return_X_y=True),
    "wine": datasets.load_wine(return_X_y=True),
    "few_rows": mixture(n_samples=400, n_features=200, n_informative=20),
    "rare": mixture(n_samples=12_000, n_features=15, n_informative=6, weights=[0.98], flip_y=0.005),
    "many_clusters": mixture(
        n_samples=12_000, n_features=20, n_informative=12, n_classes=7, n_clusters_per_class=8
    ),
    "network": network(12_000, 30, 64, 10, 0.1),
    "network_noisy": network(12_000, 30, 32, 3, 0.6),
    "network_100": network(12_000, 40, 64, 100, 0.05),
    "cubes": checkerboard(12_000, 5, 0.05, 3),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument("--others", action="store_true", help="the sets of the final comparison")
    arguments = parser.parse_args()
    directory = arguments.directory / "tabular"
    directory.mkdir(parents=True, exist_ok=True)
    sets = OTHERS if arguments.others else SETS
    for name, (X, y) in sets.items():
        codes = np.unique(y, return_inverse=True)[1]
        np.savez(
            directory / f"{name}.npz",
            X=X.astype(np.float32),
            y=codes,
            train_idx=np.arange(len(y)),
            test_idx=np.arange(0),
        )
    print(f"{len(sets)} sets in {directory}")


if __name__ == "__main__":
    main()
