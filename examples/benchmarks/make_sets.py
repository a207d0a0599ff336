"""Write the small sets of scikit-learn, and some made up, for accuracy.py to read.

    python examples/benchmarks/make_sets.py DIR
    SKNUMPYNET_DATA=DIR python examples/benchmarks/accuracy.py --cv --scaler skew

Nothing has to be fetched. Of the defaults only the length of training was chosen on these sets.
"""

import sys
from pathlib import Path

import numpy as np
from sklearn import datasets


def made_up(**settings):
    return datasets.make_classification(random_state=0, **settings)


def checkerboard(n, d, part):
    """Return squares in the first two of d features, with that part of the labels wrong."""
    rng = np.random.RandomState(0)
    X = rng.rand(n, d)
    y = np.floor(4 * X[:, :2]).sum(axis=1).astype(int) % 2
    return X, np.where(rng.rand(n) < part, 1 - y, y)


def friedman(n):
    """Return Friedman's first function of ten features, with noise, cut into quarters."""
    X, t = datasets.make_friedman1(n, 10, noise=1.0, random_state=0)
    return X, np.digitize(t, np.quantile(t, [0.25, 0.5, 0.75]))


def long_tails(n):
    """Return log-normal features of which four matter."""
    rng = np.random.RandomState(0)
    Z = rng.randn(n, 12)
    score = Z[:, 0] * Z[:, 1] + np.sin(2 * Z[:, 2]) + Z[:, 3]
    return np.exp(1.5 * Z), (score + 0.5 * rng.randn(n) > 0).astype(int)


SETS = {
    "cancer": datasets.load_breast_cancer(return_X_y=True),
    "digits": datasets.load_digits(return_X_y=True),
    "moons": datasets.make_moons(2000, noise=0.25, random_state=0),
    "circles": datasets.make_circles(2000, noise=0.15, factor=0.6, random_state=0),
    "hastie": datasets.make_hastie_10_2(4000, random_state=0),
    "quantiles": datasets.make_gaussian_quantiles(
        n_samples=4000, n_features=8, n_classes=4, random_state=0
    ),
    "clusters": made_up(n_samples=3000, n_features=40, n_informative=8, n_classes=5, class_sep=1.5),
    "clusters_noisy": made_up(
        n_samples=3000,
        n_features=20,
        n_informative=10,
        n_classes=3,
        n_clusters_per_class=4,
        flip_y=0.1,
    ),
    "clusters_wide": made_up(n_samples=600, n_features=500, n_informative=20, n_redundant=50),
    "clusters_rare": made_up(
        n_samples=5000, n_features=15, n_informative=6, weights=[0.95], flip_y=0.02
    ),
    "checkerboard": checkerboard(5000, 4, 0.05),
    "friedman": friedman(4000),
    "long_tails": long_tails(4000),
}


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    directory = Path(sys.argv[1]) / "tabular"
    directory.mkdir(parents=True, exist_ok=True)
    for name, (X, y) in SETS.items():
        codes = np.unique(y, return_inverse=True)[1]
        np.savez(
            directory / f"{name}.npz",
            X=X.astype(np.float32),
            y=codes,
            train_idx=np.arange(len(y)),
            test_idx=np.arange(0),
        )
    print(f"{len(SETS)} sets in {directory}")


if __name__ == "__main__":
    main()
