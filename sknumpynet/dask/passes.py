"""Training and scoring on blocks of rows, one network after the other or several at a time."""

from copy import deepcopy

import dask
import numpy as np

from sknumpynet.dask.blocks import n_rows
from sknumpynet.data.moments import Moments
from sknumpynet.data.numbers import NumberTargets
from sknumpynet.data.rows import check_weight
from sknumpynet.data.targets import targets_of


def submit(client, function, model, *arguments):
    """Submit a task with a network, which may be as large as Dask otherwise warns of."""
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1PB"}):
        return client.submit(function, model, *arguments, pure=False)


def train_pass(client, models, parts, announced):
    """Return the networks after a pass in which each was trained on its part of the blocks."""
    futures = [
        pass_over(client, model, blocks, announced)
        for model, blocks in zip(models, parts, strict=True)
    ]
    try:
        return averaged(models, client.gather(futures))
    finally:
        client.cancel(futures)  # an interrupted pass does not go on


def pass_over(client, model, blocks, announced):
    """Return the future of the network that has been trained on one block after the other.

    A task copies the network that it is given. If a worker is lost, the scheduler runs its tasks
    again from what they were given, so that no block is trained on twice or left out.
    """
    for block in blocks:
        model = submit(client, train_on, model, *block, announced)
    return model


def train_on(model, X, y, sample_weight, announced):
    return deepcopy(model)._partial_fit(X, y, sample_weight, announced)


def rows_seen(model):
    return getattr(model, "t_", 0)


def averaged(before, after):
    """Return the networks after a pass, each with the mean of their parameters.

    The mean is weighted by the rows of the pass. Each network keeps the state of its optimizer.
    """
    if len(after) > 1:
        rows = [rows_seen(a) - rows_seen(b) for a, b in zip(after, before, strict=True)]
        mean = np.average([model.params_ for model in after], axis=0, weights=rows)
        for model in after:
            model.params_ = mean.astype(model.params_.dtype)
    return after


def total(start, models):
    """Return the fitted attributes of the first network, with the rows that all have seen."""
    first = {k: v for k, v in vars(models[0]).items() if k not in start.get_params(deep=False)}
    if len(models) == 1:
        return first
    seen = rows_seen(start) + sum(rows_seen(model) - rows_seen(start) for model in models)
    before = targets_of(vars(start)) if rows_seen(start) else None
    after = [targets_of(vars(model)) for model in models]
    resume = first["_resume"] | type(after[0]).together(before, after).attributes()["_resume"]
    return {**first, "t_": seen, "_resume": resume}


def score_on(client, model, blocks, tally):
    """Return what each block adds to the score."""
    model = submit(client, deepcopy, model)  # sent once, not with each block
    return client.gather([client.submit(tally, model, *block) for block in blocks])


def count_right(model, X, y, sample_weight):
    """Return the weight of the rows that are predicted rightly, and of all."""
    accuracy = model.score(X, y, sample_weight)
    if sample_weight is None:
        return round(accuracy * n_rows(X)), n_rows(X)
    of = float(np.sum(np.asarray(sample_weight, float)))
    return accuracy * of, of


def accuracy(counts):
    """Return the accuracy on blocks with these counts."""
    right, of = map(sum, zip(*counts, strict=True))
    return right / of


def residuals(model, X, y, sample_weight):
    """Return the moments of y, and the weighted sum of squared residuals, of each output."""
    y, targets = NumberTargets.read(y), targets_of(vars(model))
    if not targets.fits(y):
        raise ValueError(f"y of shape {y.shape} is not that of {targets.n_outputs} outputs.")
    weight = check_weight(sample_weight, n_rows(X))
    weight = np.ones(len(y)) if weight is None else weight.ravel()
    columns = y.reshape(len(y), -1)
    squares = (columns - model.predict(X).reshape(columns.shape)) ** 2
    return Moments.of(columns, weight), weight @ squares


def r_squared(parts):
    """Return the coefficient of determination on blocks with these moments and sums.

    As in scikit-learn, an output that does not vary counts 1 if it is predicted exactly, and 0
    otherwise.
    """
    moments = Moments.pooled([of_block for of_block, _ in parts])
    squares = np.sum([of_block for _, of_block in parts], axis=0)
    total = moments.weight * moments.deviation**2
    unexplained = np.where(squares > 0, 1.0, 0.0)
    np.divide(squares, total, out=unexplained, where=moments.varies)
    return float(np.mean(1 - unexplained))
