"""What follows from the records of a pilot run: pure functions, so nothing is trained here."""

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sknumpynet.core.schedules import one_cycle
from sknumpynet.fit.evidence import (
    BELOW_CHANCE,
    LEARNT_MUCH,
    UNDERFITTING,
    Evidence,
    has_turned_up,
    is_below_chance,
    next_phase,
)

RATE = 0.005


def evidence(best=10, used=100, of_best=0.5, of_last=0.7, **others):
    """Return what a pilot run has shown whose smallest loss is that of the epoch `best`."""
    losses = [1.0] * (best - 1) + [0.6] + [0.9] * (used - best)
    rates = [RATE * one_cycle(u, 0, 0.5) for u in np.linspace(0, 1, used)]
    shown = Evidence(losses, rates, [0.1] * used, of_best, of_last, chance=1.1, n_rows=100)
    return replace(shown, **others)


def decide(shown, left=125, affordable=inf, **options):
    return next_phase(shown, left, affordable, RATE, **options)


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        # The minimum 1.0 at position `best`, then a plateau: 2 * best + 5 epochs are needed.
        ([1.0] + [1.2] * 4, True),
        ([1.0] + [1.2] * 3, False),
        ([3, 2, 1.0] + [1.2] * 6, True),
        ([3, 2, 1.0] + [1.2] * 5, False),
        # The mean of the last quarter has to be more than 1.1 times the minimum.
        ([1.0] + [1.101] * 15, True),
        ([1.0] + [1.099] * 15, False),
        ([1.0] + [1.1] * 15, False),
        ([1.0] + [1.0] * 11 + [1.2] * 4, True),
        ([1.0] + [1.0] * 12 + [1.2] * 3, True),
        ([1.0] + [1.0] * 13 + [1.19] * 2, False),
        ([1.0] + [1.2] * 11 + [1.0] * 4, False),
        # Of few epochs the last two count.
        ([1.0] + [1.0] * 3 + [1.3], True),
        ([1.0] + [1.0] * 3 + [1.19], False),
        ([1.0] + [1.5] * 2 + [1.0, 1.0], False),
        # At ten epochs a quarter is two, at twelve it is three.
        ([1.0] + [1.0] * 8 + [1.25], True),
        ([1.0] + [1.0] * 10 + [1.25], False),
    ],
)
def test_a_loss_has_turned_up_if_it_stays_well_above_its_minimum(losses, expected):
    assert has_turned_up(losses) is expected


@pytest.mark.parametrize(
    ("loss", "chance", "n_rows", "expected"),
    [
        (0.69, 0.69, 10**6, False),
        (1.5, 0.69, 10**6, False),
        # Of many rows 5 % less is enough.
        (0.951, 1.0, 10**6, False),
        (0.949, 1.0, 10**6, True),
        # Of few rows half a standard deviation of their mean: 0.5 / sqrt(25) = 0.1.
        (0.91, 1.0, 25, False),
        (0.89, 1.0, 25, True),
        # Where classes are rare the loss of their frequencies is small.
        (0.05, 0.1, 100, False),
        (0.04, 0.1, 100, True),
        (0.01, 0.1, 20, False),
    ],
)
def test_a_loss_is_below_that_of_the_class_frequencies_if_that_is_no_chance(
    loss, chance, n_rows, expected
):
    assert is_below_chance(loss, chance, n_rows) is expected


@pytest.mark.parametrize(
    ("of_best", "of_last", "training_loss", "has_learnt", "is_underfitting"),
    [
        (0.5, 0.7, 0.1, True, False),
        (0.7, 0.5, 0.1, True, False),
        (0.5, 3.0, 0.6, True, False),
        # Learnt by heart, but nothing that holds for other rows: noise, or overfitting.
        (1.1, 1.2, 0.1, False, False),
        # Not even learnt by heart.
        (1.1, 1.2, 0.6, False, True),
        (BELOW_CHANCE * 1.1 + 0.001, 1.2, UNDERFITTING * 1.1 + 0.001, False, True),
        (BELOW_CHANCE * 1.1 + 0.001, 1.2, UNDERFITTING * 1.1 - 0.001, False, False),
    ],
)
def test_not_having_learnt_is_not_overfitting(
    of_best, of_last, training_loss, has_learnt, is_underfitting
):
    training_losses = [1.1] * 99 + [training_loss]
    shown = evidence(of_best=of_best, of_last=of_last, training_losses=training_losses)
    shown = replace(shown, n_rows=10**6)
    assert shown.has_learnt() is has_learnt
    assert shown.is_underfitting() is is_underfitting
    assert shown.loss == min(of_best, of_last)


def test_the_best_epoch_counts_from_1_and_is_the_first_of_equal_ones():
    assert evidence(best=7).best_epoch == 7
    assert evidence(losses=[1.0, 0.5, 0.5]).best_epoch == 2


@pytest.mark.parametrize(("best", "epochs"), [(1, 2), (10, 15), (11, 17), (48, 72)])
def test_after_an_early_best_epoch_training_starts_again_for_1_5_times_as_long(best, epochs):
    assert decide(evidence(best))[:2] == ("new", epochs)
    assert decide(evidence(best), longer=1)[:2] == ("new", best)


@pytest.mark.parametrize("best", [1, 2, 5, 10])
def test_after_an_early_best_epoch_the_mean_learning_rate_stays_the_same(best):
    shown = evidence(best)
    cycle = [one_cycle(u, 0, 0.5) for u in np.linspace(0, 1, 10_001)]
    mean = np.mean(cycle) * decide(shown).learning_rate_init
    assert_allclose(mean, np.mean(shown.rates[:best]), rtol=0.02)
    assert decide(evidence(best, rates=[RATE] * 100)).learning_rate_init == RATE


@pytest.mark.parametrize(
    ("shown", "start"),
    [
        (evidence(best=48), "new"),
        # Not early.
        (evidence(best=49), "best"),
        (evidence(best=100), "best"),
        # Early, but the loss has not turned up since.
        (evidence(losses=[1.0] * 9 + [0.6] + [0.65] * 90), "best"),
        # Badly calibrated is not worse: the losses of the epochs do not count, those after
        # calibration do.
        (evidence(of_best=0.5, of_last=0.4), "last"),
        (evidence(of_best=0.5, of_last=0.499), "last"),
        (evidence(of_best=0.5, of_last=0.5), "new"),
        # Nothing was learnt, so that there is nothing to go on from.
        (evidence(of_best=1.1, of_last=1.2), "new"),
        # Everything was learnt, so that it is no use to train less.
        (evidence(of_best=0.99 * LEARNT_MUCH * 1.1, of_last=0.3), "best"),
        (evidence(of_best=1.01 * LEARNT_MUCH * 1.1, of_last=0.3), "new"),
    ],
)
def test_training_goes_on_from_the_network_that_is_better_after_calibration(shown, start):
    phase = decide(shown)
    assert phase.start == start
    if start != "new":
        assert phase.max_iter == 25
        assert phase.learning_rate_init == RATE / 2


@pytest.mark.parametrize(
    ("left", "affordable", "start"),
    [(10, inf, "new"), (9, inf, "best"), (125, 10, "new"), (125, 9.9, "best"), (125, 0, "best")],
)
def test_training_starts_again_only_if_epochs_and_time_are_left_for_it(left, affordable, start):
    phase = decide(evidence(best=10), left, affordable)
    assert phase.start == start
    assert phase.max_iter == min(left, 15 if start == "new" else 25)


@pytest.mark.parametrize("has_network", [True, False])
@pytest.mark.parametrize("shown", [evidence(), evidence(best=90), evidence(of_last=0.4)])
def test_no_more_epochs_than_are_left_are_trained(shown, has_network):
    for left in (0, 1, 5, 20):
        phase = decide(shown, left, has_network=has_network)
        assert phase.max_iter <= left
        assert phase.learning_rate_init <= RATE
    assert decide(shown, 0).max_iter == 0
    assert decide(shown, 0).start != "new"  # which would be an untrained network


@pytest.mark.parametrize("shown", [evidence(best=50), evidence(best=90), evidence(of_last=0.4)])
def test_without_a_network_that_could_go_on_training_takes_as_long_again(shown):
    assert decide(shown, has_network=False) == ("new", 100, RATE)
