"""Activations, losses, optimizers, schedules and batches: what is true of the formulas."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import optimize, sparse, special

from sknumpynet.activations import ACTIVATIONS
from sknumpynet.batches import Minibatches
from sknumpynet.hashing import draw_mask, row_keys
from sknumpynet.losses import LOSSES, LogisticCrossEntropy, SoftmaxCrossEntropy
from sknumpynet.network import Backprop, initialize
from sknumpynet.optimizers import OPTIMIZERS, SGD, Adam
from sknumpynet.schedules import BUDGETED, SCHEDULES
from sknumpynet.training import Patience, Rate, stepper

VALUES = {
    "identity": lambda z: z,
    "relu": lambda z: np.where(z > 0, z, 0),
    "tanh": np.tanh,
    "logistic": special.expit,
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "selu": lambda z: 1.05070098 * np.where(z > 0, z, 1.67326324 * np.expm1(np.minimum(z, 0))),
    "silu": lambda z: z * special.expit(z),
    "gelu": lambda z: z * special.expit(2 * np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)),
}
DTYPES = ["float32", "float64"]


def some_targets(loss_name, n, k, rng):
    return rng.randint(k, size=n) if loss_name == "softmax" else rng.randint(2, size=(n, k))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_value_is_the_formula_also_in_place(name):
    z = np.array([[-800.0, -3.0, -1e-9, 0.0, 1e-9, 2.0, 800.0]])
    out = np.empty_like(z)
    ACTIVATIONS[name].forward(z.copy(), out)
    assert_allclose(out, VALUES[name](z), rtol=1e-7, atol=1e-15)
    ACTIVATIONS[name].forward(z, z)
    assert_array_equal(z, out)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_slope_is_the_derivative(name, dtype):
    z = np.linspace(-3, 3, 11).reshape(1, -1).astype(dtype) + np.asarray(0.1, dtype)
    a, grad = np.empty_like(z), np.full_like(z, 2)
    ACTIVATIONS[name].forward(z.copy(), a)
    ACTIVATIONS[name].backward(grad, a, z.copy())
    h = 1e-6
    numeric = (VALUES[name](z.astype(float) + h) - VALUES[name](z.astype(float) - h)) / (2 * h)
    assert grad.dtype == dtype
    assert_allclose(grad, 2 * numeric, rtol=1e-4 if dtype == "float32" else 1e-7, atol=1e-6)


def test_softmax_cross_entropy_of_equal_logits_is_log_k():
    value, grad = SoftmaxCrossEntropy().value_and_grad(np.zeros((2, 4)), np.array([0, 3]), 0.5)
    assert_allclose(value, np.log(4))
    assert_allclose(grad, 0.5 * (0.25 - np.eye(4)[[0, 3]]))


@pytest.mark.parametrize("name", LOSSES)
def test_loss_is_minus_the_log_probability_of_the_target(name):
    rng = np.random.RandomState(0)
    z, y = 3 * rng.randn(7, 4), some_targets(name, 7, 4, rng)
    log_p = LOSSES[name]().log_proba(z.copy())
    if name == "softmax":
        assert_allclose(np.exp(log_p).sum(axis=1), 1)
        expected = -log_p[np.arange(7), y]
    else:
        expected = -np.where(y, log_p, np.log1p(-np.exp(log_p))).sum(axis=1)
    w = rng.rand(7, 1)
    value, _ = LOSSES[name]().value_and_grad(z, y, w)
    assert_allclose(value, w[:, 0] @ expected)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_loss_is_finite_for_huge_logits_and_keeps_the_dtype(name, dtype):
    z = np.array([[1e4, -1e4, 0.0]] * 2, dtype)
    y = np.array([1, 0]) if name == "softmax" else np.array([[0, 1, 1], [1, 0, 0]], np.uint8)
    log_p = LOSSES[name]().log_proba(z.copy())
    value, grad = LOSSES[name]().value_and_grad(z, y, 0.5)
    assert np.isfinite(log_p).all()
    assert log_p.dtype == grad.dtype == dtype
    assert_allclose(value, 1e4 + (0 if name == "softmax" else np.log(2)), rtol=1e-6)
    assert np.abs(grad).max() <= 0.5


def test_two_classes_by_softmax_or_by_one_logit_are_the_same_loss():
    rng = np.random.RandomState(1)
    z, y = rng.randn(9, 1), rng.randint(2, size=9)
    one, grad_one = LogisticCrossEntropy().value_and_grad(z.copy(), y[:, None], 1 / 9)
    two, grad_two = SoftmaxCrossEntropy().value_and_grad(np.hstack([0 * z, z]), y, 1 / 9)
    assert_allclose(one, two)
    assert_allclose(grad_one[:, 0], grad_two[:, 1])


@pytest.mark.parametrize("dtype", DTYPES)
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
def test_optimizer_goes_on_from_a_pickled_state(name):
    rng = np.random.RandomState(0)
    gradients, optimizer = rng.randn(6, 4), OPTIMIZERS[name]()
    p = np.zeros(4)
    state = optimizer.start(p)
    q, saved = p.copy(), state
    for i, g in enumerate(gradients):
        optimizer.step(p, g.copy(), 0.1, state)
        saved = pickle.loads(pickle.dumps(saved)) if i else optimizer.start(q)
        optimizer.step(q, g.copy(), 0.1, saved)
    assert_array_equal(p, q)


def test_sgd_without_momentum_is_the_textbook_step():
    p, optimizer = np.array([1.0, 2.0]), SGD(momentum=0.0)
    optimizer.step(p, np.array([0.5, -1.0]), 0.1, optimizer.start(p))
    assert_allclose(p, [0.95, 2.1], rtol=1e-15)


def test_first_step_of_adam_is_the_learning_rate_in_each_direction():
    p, optimizer = np.zeros(3), Adam(epsilon=1e-30)
    optimizer.step(p, np.array([1e-3, -5.0, 70.0]), 0.01, optimizer.start(p))
    assert_allclose(p, [-0.01, 0.01, -0.01])


@pytest.mark.parametrize(("beta_1", "beta_2"), [(0.0, 0.0), (0.1, 0.5), (0.9, 0.98), (0.9, 0.999)])
@pytest.mark.parametrize("size", [1e-4, 1e4])
def test_adam_is_the_papers_however_long_it_goes_on(beta_1, beta_2, size):
    p = np.zeros(5, np.float32)
    optimizer, gradients = Adam(beta_1, beta_2), size * np.random.RandomState(0).randn(2000, 5)
    state, q, m, v = optimizer.start(p), np.zeros(5), np.zeros(5), np.zeros(5)
    for t, g in enumerate(gradients, 1):
        optimizer.step(p, g.astype(np.float32), 0.01, state)
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        q -= 0.01 * m / (1 - beta_1**t) / (np.sqrt(v / (1 - beta_2**t)) + 1e-8)
    assert_allclose(p, q, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("nesterov", [True, False])
def test_optimizer_walks_as_pytorch_does(name, nesterov):
    torch = pytest.importorskip("torch", reason="compares with PyTorch where it is installed")
    rng = np.random.RandomState(0)
    p, gradients = rng.randn(5), rng.randn(30, 5)
    theirs = torch.tensor(p.copy(), requires_grad=True)
    if name == "sgd":
        ours = SGD(0.9, nesterov)
        their_optimizer = torch.optim.SGD([theirs], lr=0.01, momentum=0.9, nesterov=nesterov)
    else:
        # PyTorch adds epsilon to the corrected root; with none to speak of the two agree.
        ours = Adam(epsilon=1e-30)
        their_optimizer = torch.optim.Adam([theirs], lr=0.01, eps=1e-30)
    state = ours.start(p)
    for g in gradients:
        ours.step(p, g.copy(), 0.01, state)
        theirs.grad = torch.tensor(g)
        their_optimizer.step()
        assert_allclose(p, theirs.detach().numpy(), rtol=1e-10)


def test_gelu_is_close_to_z_times_the_normal_distribution_function():
    z = np.linspace(-5, 5, 101)
    out = np.empty_like(z)
    ACTIVATIONS["gelu"].forward(z, out)
    assert_allclose(out, z * special.ndtr(z), atol=5e-4)


def test_selu_keeps_mean_zero_and_variance_one():
    z = np.random.RandomState(0).randn(200_000)
    ACTIVATIONS["selu"].forward(z, z)
    assert_allclose([z.mean(), z.var()], [0, 1], atol=0.01)


@pytest.mark.parametrize("name", LOSSES)
def test_label_smoothing_is_the_loss_of_smoothed_targets(name):
    rng = np.random.RandomState(0)
    z, y, e = rng.randn(5, 4), some_targets(name, 5, 4, rng), 0.3
    value, grad = LOSSES[name](label_smoothing=e).value_and_grad(z.copy(), y, 1.0)
    log_p = LOSSES[name]().log_proba(z.copy())
    if name == "softmax":
        target = (1 - e) * np.eye(4)[y] + e / 4
        expected = -(target * log_p).sum()
    else:
        target = (1 - e) * y + e / 2
        expected = -(target * log_p + (1 - target) * np.log1p(-np.exp(log_p))).sum()
    assert_allclose(value, expected)
    assert_allclose(grad, np.exp(log_p) - target)


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule_stays_in_its_bounds_and_ends_as_it_says(name):
    factor = SCHEDULES[name](0.5, 500, 1000)
    values = np.array([factor(t, t) for t in range(500, 1501, 10)])
    assert values.min() >= 0
    assert values.max() <= 1
    later = values[10:]
    assert (np.diff(later) <= 0).all()
    if name in BUDGETED:
        assert_allclose(values[-1], 0, atol=1e-12)
        assert_allclose(values.max(), 1)


def test_schedules_half_way():
    half = {name: SCHEDULES[name](0.5, 0, 100)(50, 50) for name in BUDGETED}
    assert_allclose(half["linear"], 0.5)
    assert_allclose(half["cosine"], 0.5)
    assert 0.5 < half["one_cycle"] < 0.7


def test_invscaling_is_the_power_law_of_the_samples_before_the_epoch():
    assert SCHEDULES["invscaling"](0.25, 0, None)(95, 80) == 81**-0.25


def test_patience_ends_after_exactly_so_many_epochs_without_improvement():
    patience = Patience(tol=0.1, n_iter_no_change=3)
    answers = [patience.exhausted(loss) for loss in (5.0, 4.0, 3.95, 3.5, 3.45, 3.45, np.nan)]
    assert answers == [False] * 6 + [True]
    endless = Patience(tol=0.1, n_iter_no_change=np.inf)
    assert not any(endless.exhausted(1.0) for _ in range(100))


def test_adaptive_rate_is_divided_until_it_is_tiny():
    rate = Rate(0.001, lambda t, t_epoch: 1.0, adaptive=True)
    n_lowered = sum(1 for _ in iter(rate.lower, False))
    assert_allclose(rate(0, 0), 0.001 / 5**n_lowered)
    assert 2e-7 < rate(0, 0) <= 1e-6
    assert not Rate(1.0, lambda t, t_epoch: 1.0).lower()


def test_weight_decay_shrinks_weights_and_not_biases():
    params = initialize([3, 2], 6.0, np.random.RandomState(0), "float64")
    start = params.copy()
    loss = LOSSES["softmax"]()
    backprop = Backprop(params, [3, 2], ACTIVATIONS["relu"], loss, 0.0, 1)
    backprop.grad[:] = 0
    optimizer = SGD(momentum=0.0)
    stepper(optimizer, {}, backprop, weight_decay=0.5)(0.1)
    assert_allclose(params[:6], 0.95 * start[:6])
    assert_array_equal(params[6:], start[6:])


def test_adam_with_a_first_layer_factor_is_adam_on_features_so_many_times_as_large():
    rng, f = np.random.RandomState(0), 3.0
    X, y, sizes = rng.randn(50, 4), rng.randint(3, size=50), [4, 6, 3]
    start = initialize(sizes, 6.0, rng, "float64")
    ends = []
    for X_, factor, shrunk in ((X, f, 1.0), (f * X, 1.0, f), (X, 1.0, 1.0)):
        params, adam = start.copy(), Adam(epsilon=1e-30)
        backprop = Backprop(params, sizes, ACTIVATIONS["tanh"], LOSSES["softmax"](), 0.0, 50)
        backprop.weights[0][...] /= shrunk
        step = stepper(adam, adam.start(params), backprop, first_layer_factor=factor)
        for _ in range(20):
            backprop(X_, y, None, 50)
            step(0.01)
        backprop.weights[0][...] *= shrunk
        ends.append(params)
    assert_allclose(ends[0], ends[1], rtol=1e-9)
    assert not np.allclose(ends[0], ends[2], rtol=1e-2)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_mask_drops_that_part_and_keeps_the_mean(p):
    n, d = 500, 400
    mask, rng = np.empty((n, d), np.float32), np.random.RandomState(0)
    keys = row_keys(rng.randint(256, size=(n, 3)))
    draw_mask(mask, p, keys, rng)
    dropped = mask == 0
    assert_allclose(dropped.mean(), p, atol=0.01)
    assert_allclose(mask.mean(), 1, atol=0.03)
    assert len(np.unique(mask)) == 2
    # Units, rows, and pairs of them vary as if every one were drawn by itself.
    for units, other in ((dropped, n), (dropped.T, d)):
        assert_allclose(units.mean(axis=0).std(), np.sqrt(p * (1 - p) / other), rtol=0.2)
        pairs = np.corrcoef(units.T)[np.triu_indices(units.shape[1], 1)]
        assert_allclose([pairs.mean(), pairs.std() * np.sqrt(other)], [0, 1], atol=0.1)


def test_equal_rows_lose_the_same_units_and_others_do_not():
    X, rng = np.repeat(np.eye(3), 2, axis=0), np.random.RandomState(0)
    mask = np.empty((6, 50))
    draw_mask(mask, 0.5, row_keys(X), rng)
    assert_array_equal(mask[::2], mask[1::2])
    assert len(np.unique(mask, axis=0)) == 3
    draw_mask(mask[1:], 0.5, row_keys(X[1:]), rng)  # another step, another mask
    assert (mask[0] != mask[1]).any()


@pytest.mark.parametrize("convert", [np.float32, np.uint8, sparse.csr_array, np.asfortranarray])
def test_keys_are_equal_for_equal_rows_only(convert):
    X = np.random.RandomState(0).randint(256, size=(20_000, 7)).astype(float)
    keys = row_keys(X)
    assert len(np.unique(keys)) == len(np.unique(X, axis=0)) == len(X)
    converted = convert(X)
    assert_array_equal(row_keys(converted[::-1]), keys[::-1])
    assert_array_equal(row_keys(np.where(X == 0, -0.0, X)), keys)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradient_with_dropout_is_that_of_the_masked_network(activation):
    rng = np.random.RandomState(0)
    X, y, sizes = rng.randn(6, 4), rng.randint(3, size=6), [4, 8, 7, 3]
    params = initialize(sizes, 6.0, rng, "float64")
    start = params.copy()
    direction = rng.randn(len(params))

    def run(step):
        params[:] = start + step * direction
        backprop = Backprop(
            params,
            sizes,
            ACTIVATIONS[activation],
            LOSSES["softmax"](),
            0.0,
            6,
            (0.5, 0.2),
            np.random.RandomState(7),
        )
        return backprop(X, y, None, 6, row_keys(X)), backprop.grad @ direction

    h = 1e-6
    numeric = (run(h)[0] - run(-h)[0]) / (2 * h)
    assert_allclose(run(0)[1], numeric, rtol=1e-6)


KINDS = {
    "float32": lambda X: X.astype(np.float32),
    "float64": lambda X: X,
    "uint8": lambda X: X.astype(np.uint8),
    "bool": lambda X: X > 3,
    "big-endian": lambda X: X.astype(">f8"),
    "Fortran order": np.asfortranarray,
    "every other row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "CSR": sparse.csr_array,
    "CSR matrix": sparse.csr_matrix,
}


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_batches_of_any_kind_are_the_rows_in_the_training_dtype(kind, shuffle):
    rng = np.random.RandomState(0)
    X, y = KINDS[kind](rng.randint(0, 9, size=(23, 4)).astype(float)), np.arange(23)
    if not sparse.issparse(X):
        X.flags.writeable = False
    whole = X.toarray() if sparse.issparse(X) else np.array(X)
    minibatches = Minibatches(X, y, None, 5, "float32")
    seen = []
    for batch, codes, weight, mass, _ in minibatches.one_pass(rng if shuffle else None):
        dense = batch.toarray() if sparse.issparse(batch) else batch
        assert dense.dtype == np.float32
        assert weight is None
        assert mass == len(codes) <= 5
        assert_array_equal(dense, whole[codes].astype(np.float32))
        seen.extend(codes)
    assert sorted(seen) == list(range(23))
    assert (seen == list(range(23))) is not shuffle


def test_each_pass_has_another_order():
    minibatches = Minibatches(np.eye(40), np.arange(40), None, 20, "float64")
    rng = np.random.RandomState(0)
    first, second = (next(iter(minibatches.one_pass(rng)))[1] for _ in range(2))
    assert not np.array_equal(first, second)


def test_batches_without_weight_are_left_out_and_masses_add_up():
    weight = np.array([0.0, 0.0, 3.0, 1.0, 2.0])
    batches = list(Minibatches(np.eye(5), np.arange(5), weight, 2, "float64").one_pass())
    assert [list(codes) for _, codes, *_ in batches] == [[2, 3], [4]]
    assert_allclose([mass for *_, mass, _ in batches], [2 * 1.2, 1.2])
