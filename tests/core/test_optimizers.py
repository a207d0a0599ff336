"""Optimizers: textbook formulas, PyTorch's trajectories, and convergence."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import optimize
from sklearn.neural_network import MLPClassifier

from sknumpynet.core.optimizers import OPTIMIZERS, SGD, Adam, approximate_inverse_root


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_solves_a_parabola_in_its_dtype(name, dtype):
    target = np.array([1.0, -2.0, 3.0], dtype)
    p, optimizer = np.zeros(3, dtype), OPTIMIZERS[name]()
    state = optimizer.start(p)
    for _ in range(2000):
        optimizer.step(p, p - target, 0.02, state)
    assert_allclose(p, target, atol=1e-3)
    arrays = [p, *(value for value in state.values() if np.ndim(value))]
    assert {array.dtype.name for array in arrays} == {dtype}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_solves_rosenbrock(name):
    p, optimizer = np.array([-1.2, 1.0]), OPTIMIZERS[name]()
    state = optimizer.start(p)
    for _ in range(20_000):
        optimizer.step(p, optimize.rosen_der(p), 2e-4 if name == "sgd" else 2e-3, state)
    assert_allclose(p, 1, atol=1e-2)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_continues_from_a_pickled_state(name):
    gradients, optimizer = np.random.RandomState(0).randn(6, 4), OPTIMIZERS[name]()
    p, q = np.zeros(4), np.zeros(4)
    state, saved = optimizer.start(p), optimizer.start(q)
    for g in gradients:
        optimizer.step(p, g.copy(), 0.1, state)
        saved = pickle.loads(pickle.dumps(saved))
        optimizer.step(q, g.copy(), 0.1, saved)
    assert_array_equal(p, q)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_defaults_of_an_optimizer_are_mlpclassifiers(name):
    theirs = MLPClassifier().get_params()
    ours = vars(OPTIMIZERS[name]())
    assert ours == {parameter: theirs[parameter] for parameter in ours}


def test_sgd_without_momentum_is_the_textbook_step():
    p, optimizer = np.array([1.0, 2.0]), SGD(momentum=0.0)
    optimizer.step(p, np.array([0.5, -1.0]), 0.1, optimizer.start(p))
    assert_allclose(p, [0.95, 2.1], rtol=1e-15)


@pytest.mark.parametrize("nesterov", [True, False])
def test_sgd_with_momentum_is_the_papers_recursion(nesterov):
    """Nesterov's gradient is taken ahead, at theta + mu v; that point is the optimizer's p."""
    curvature, mu, lr = np.array([1.0, 0.3, 5.0]), 0.9, 0.05
    theta, v = np.array([1.0, -2.0, 3.0]), np.zeros(3)
    p, optimizer = theta.copy(), SGD(mu, nesterov)
    state = optimizer.start(p)
    for _ in range(50):
        optimizer.step(p, curvature * p, lr, state)
        v = mu * v - lr * curvature * (theta + mu * v if nesterov else theta)
        theta = theta + v
        assert_allclose(p, theta + mu * v if nesterov else theta, rtol=1e-9)


BETAS = [
    [(0.0, 0.0)],
    [(0.0, 0.999)],
    [(0.9, 0.5)],
    [(0.1, 0.5)],
    [(0.9, 0.98)],
    [(0.9, 0.999)],
    [(0.9, 0.999), (0.0, 0.9), (0.5, 0.0), (0.99, 0.98)],
    [(0.0, 0.0), (0.9, 0.999)],
]


@pytest.mark.parametrize("size", [1e-8, 1e4])
@pytest.mark.parametrize("betas", BETAS, ids=str)
def test_adam_is_the_textbook_formula_for_2000_steps_also_when_betas_change(betas, size):
    """Each pair of betas continues from the state of the pair before; 1e-8 is also epsilon."""
    gradients = size * np.random.RandomState(0).randn(2000, 5).astype(np.float32).astype(float)
    p, ours, theirs = np.zeros(5, np.float32), [], []
    state, q, m, v = Adam().start(p), np.zeros(5), np.zeros(5), np.zeros(5)
    for t, g in enumerate(gradients, 1):
        beta_1, beta_2 = betas[(t - 1) * len(betas) // 2000]
        Adam(beta_1, beta_2).step(p, g.astype(np.float32), 0.01, state)
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        rate = 0.01 * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        q = q - rate * m / (np.sqrt(v) + 1e-8)
        ours.append(p.copy())
        theirs.append(q)
    assert_allclose(ours, theirs, rtol=0, atol=2e-5 * np.abs(theirs).max())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_inverse_root_is_within_3_5_percent_and_finite_at_0(dtype):
    info = np.finfo(dtype)
    v = np.geomspace(info.tiny, info.max / 2, 100_000, dtype=dtype)
    out = np.empty_like(v)
    approximate_inverse_root(v, out)
    ratio = out * np.sqrt(v)
    assert ratio.min() > 0.965
    assert ratio.max() < 1.035
    assert abs(np.log(ratio.min() * ratio.max())) < 2e-3  # as much too small as too large
    approximate_inverse_root(np.zeros(5, dtype), out[:5])
    assert np.isfinite(out[:5]).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_adam_without_epsilon_moves_within_3_5_percent_of_adam_with_a_tiny_one(dtype):
    gradients = np.random.RandomState(0).randn(50, 200).astype(dtype)
    gradients[:, 0] = 0
    p, q = np.zeros(200, dtype), np.zeros(200, dtype)
    approximate, exact = Adam(epsilon=0.0), Adam(epsilon=1e-30)
    state, exact_state = approximate.start(p), exact.start(q)
    for g in gradients:
        before_p, before_q = p.copy(), q.copy()
        approximate.step(p, g.copy(), 0.01, state)
        exact.step(q, g.copy(), 0.01, exact_state)
        assert_allclose(p - before_p, q - before_q, rtol=0.035, atol=1e-7)
    assert p[0] == 0
    assert np.abs(p - q).max() > 1e-4  # so that it is not the same formula


def test_adam_without_epsilon_solves_rosenbrock():
    p, optimizer = np.array([-1.2, 1.0]), Adam(epsilon=0.0)
    state = optimizer.start(p)
    for _ in range(20_000):
        optimizer.step(p, optimize.rosen_der(p), 2e-3, state)
    assert_allclose(p, 1, atol=1e-2)


PYTORCH = {
    "heavy ball": (SGD(0.9, False), "SGD", {"momentum": 0.9}),
    "nesterov": (SGD(0.9, True), "SGD", {"momentum": 0.9, "nesterov": True}),
    # PyTorch adds epsilon to the corrected root; the two agree for a tiny one.
    "adam": (Adam(epsilon=1e-30), "Adam", {"eps": 1e-30}),
}


@pytest.mark.parametrize("name", PYTORCH)
def test_optimizer_takes_pytorchs_steps(name):
    torch = pytest.importorskip("torch", reason="compares with PyTorch where it is installed")
    ours, their_class, options = PYTORCH[name]
    rng = np.random.RandomState(0)
    p, gradients = rng.randn(5), rng.randn(30, 5)
    parameter = torch.tensor(p.copy(), requires_grad=True)
    theirs, state = (
        getattr(torch.optim, their_class)([parameter], lr=0.01, **options),
        ours.start(p),
    )
    for g in gradients:
        ours.step(p, g.copy(), 0.01, state)
        parameter.grad = torch.tensor(g)
        theirs.step()
        assert_allclose(p, parameter.detach().numpy(), rtol=1e-10)
