"""A new activation, loss, optimizer or schedule is a class or function in one registry."""

from dataclasses import dataclass

import numpy as np
import pytest

from sknumpynet import NumpyMLPClassifier
from sknumpynet.core.activations import ACTIVATIONS, glorot
from sknumpynet.core.losses import LOSSES, SoftmaxCrossEntropy
from sknumpynet.core.optimizers import OPTIMIZERS
from sknumpynet.core.schedules import SCHEDULES


class Softplus:
    """f(z) = log(1 + e^z)."""

    initial_bound = staticmethod(glorot)
    keeps_slope = False

    @staticmethod
    def forward(z, slope=None):
        np.logaddexp(0, z, out=z)

    @staticmethod
    def backward(grad, a, slope):
        grad *= 1 - np.exp(-a)


class HalvedLoss(SoftmaxCrossEntropy):
    """Half the cross-entropy."""

    def value_and_grad(self, z, y, w):
        value, grad = super().value_and_grad(z, y, w)
        return value / 2, np.multiply(grad, 0.5, out=grad)


@dataclass(frozen=True)
class SignSGD:
    """Steps of one size in each direction; `momentum` is a parameter of the estimator."""

    momentum: float = 0.9

    def start(self, p):
        return {"m": np.zeros_like(p)}

    def step(self, p, g, lr, state):
        state["m"] *= self.momentum
        state["m"] += g
        p -= lr * np.sign(state["m"])


def staircase(u, t, power_t):
    """Halve the learning rate in the second half."""
    return 1.0 if u < 0.5 else 0.5


NEW = {
    "activation": (ACTIVATIONS, Softplus, {}),
    "loss": (LOSSES, HalvedLoss, {}),
    "solver": (OPTIMIZERS, SignSGD, {"learning_rate_init": 0.003}),
    "learning_rate": (SCHEDULES, staircase, {}),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("preset", ["tuned", "sklearn"])
@pytest.mark.parametrize("kind", NEW)
def test_what_is_registered_can_be_trained_with(monkeypatch, digits, kind, preset):
    registry, new, settings = NEW[kind]
    name = "softmax" if kind == "loss" else "new"
    monkeypatch.setitem(registry, name, new)
    chosen = {} if kind == "loss" else {kind: name}
    shared = {"preset": preset, "max_iter": 15, "learning_rate_init": 0.02, "random_state": 0}
    shared |= settings
    model = NumpyMLPClassifier(16, **chosen, **shared).fit(*digits)
    assert model.score(*digits) > 0.9
    if kind == "learning_rate":
        assert model.history_["learning_rate"][-1] < model.history_["learning_rate"][0]
    if kind == "loss":
        monkeypatch.undo()
        usual = NumpyMLPClassifier(16, **shared).fit(*digits)
        assert model.loss_curve_[0] < 0.7 * usual.loss_curve_[0]


def test_what_is_not_registered_is_refused_with_what_is(monkeypatch, digits):
    monkeypatch.setitem(ACTIVATIONS, "softplus", Softplus)
    with pytest.raises(ValueError, match="'gelu', 'softplus'"):
        NumpyMLPClassifier(activation="new").fit(*digits)


def test_a_network_with_an_activation_that_is_no_longer_registered_says_so(monkeypatch, digits):
    monkeypatch.setitem(ACTIVATIONS, "softplus", Softplus)
    model = NumpyMLPClassifier(16, activation="softplus", max_iter=1, random_state=0).fit(*digits)
    monkeypatch.undo()
    with pytest.raises(ValueError, match=r"activation='softplus', which is not .* Add it"):
        model.predict(digits[0])
