"""The real MNIST, where SKNUMPYNET_DATA says where it is."""

import os
from pathlib import Path

import numpy as np
import pytest

from sknumpynet import NumpyMLPClassifier
from sknumpynet.datasets import fetch_mnist

pytestmark = pytest.mark.slow

DATA = Path(os.environ.get("SKNUMPYNET_DATA", ""), "mnist")


@pytest.mark.skipif(
    "SKNUMPYNET_DATA" not in os.environ or not DATA.is_dir(),
    reason="set SKNUMPYNET_DATA to a directory whose mnist/ holds the IDX files of MNIST",
)
@pytest.mark.parametrize("seed", range(3))
def test_ten_epochs_reach_97_5_percent(seed):
    X, y = fetch_mnist(subset="train", return_X_y=True)
    X_test, y_test = fetch_mnist(subset="test", return_X_y=True)
    X, X_test = X / np.float32(255), X_test / np.float32(255)
    model = NumpyMLPClassifier(256, preset="sklearn", random_state=seed)
    for _ in range(10):
        model.partial_fit(X, y, classes=np.arange(10))
    assert model.params_.dtype == np.float32
    assert model.score(X_test, y_test) >= 0.975
