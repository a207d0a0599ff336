"""Displays: what is drawn is what was measured."""

import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from helpers import ESTIMATORS, both, streamed
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from sknumpynet import NumpyMLPClassifier, TrainingCurveDisplay, WeightsDisplay
from sknumpynet.core.state import PILOT_RUNS

rng = np.random.RandomState(0)
X = rng.randn(300, 6)
y = (X[:, 0] > 0).astype(int)


@pytest.fixture(autouse=True)
def figures():
    with mpl.rc_context({"backend": "Agg"}):
        yield
        plt.close("all")


def new(Estimator=NumpyMLPClassifier, **settings):
    return Estimator(**{"hidden_layer_sizes": 8, "random_state": 0, **settings})


@pytest.fixture(scope="module", params=ESTIMATORS)
def model(request):
    return new(request.param, max_iter=20).fit(X, y)


def drawn(display):
    """Return the points of all lines, in the order of the horizontal axis, by their style."""
    points = {}
    for line in display.lines_:
        points.setdefault(line.get_linestyle(), []).extend(zip(*line.get_data(), strict=True))
    return {style: np.array(sorted(pairs)) for style, pairs in points.items()}


def test_the_curves_are_those_of_the_history(model):
    display = TrainingCurveDisplay.from_estimator(model)
    history, n_pilot = model.history_, model.history_["phase"].count("pilot")
    curves = drawn(display)
    assert_allclose(curves["-"], np.column_stack([history["epoch"], history["loss"]]))
    validation = np.column_stack([history["epoch"], history["validation_loss"]])
    assert_allclose(curves["--"], validation[:n_pilot])
    assert display.ax_.get_ylabel() == "loss"
    assert display.ax_.get_yscale() == "log"
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["training", "validation"]
    # The pilot run is paler, and ends where the dotted line is.
    dotted = [line for line in display.ax_.get_lines() if line.get_linestyle() == ":"]
    assert [line.get_xdata()[0] for line in dotted] == [n_pilot]
    assert min(line.get_alpha() for line in display.lines_) < 0.5


@pytest.mark.parametrize("labels", [y, rng.randint(2, size=300)])
@pytest.mark.parametrize("x", ["samples", "seconds"])
def test_the_axis_counts_what_was_trained_on_also_if_training_starts_again(labels, x):
    model = new(hidden_layer_sizes=64).fit(X, labels)
    curve = drawn(TrainingCurveDisplay.from_estimator(model, x=x))["-"]
    phases = model.history_["phase"]
    rows = [240 if phase in PILOT_RUNS else 300 for phase in phases]
    steps = rows if x == "samples" else model.history_["seconds"]
    assert_allclose(curve[:, 0], np.cumsum(steps))
    assert (model.t_ < sum(rows)) == ("second pilot" in phases) == (labels is not y)


@both
def test_scores_of_several_estimators_on_the_same_axes(Estimator):
    models = [new(Estimator, early_stopping=True, effort=effort) for effort in (0.2, 0.4)]
    models = [model.fit(X, y) for model in models]
    ax = None
    for model, name in zip(models, ["short", "long"], strict=True):
        options = {"metric": "score", "name": name, "ax": ax}
        display = TrainingCurveDisplay.from_estimator(model, **options, marker=".")
        ax = display.ax_
        assert display.figure_ is ax.figure
        assert_allclose(drawn(display)["--"][:, 1], model.validation_scores_)
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["short, validation", "long, validation"]
    assert len({line.get_color() for line in ax.get_lines()}) == 2
    assert {line.get_marker() for line in ax.get_lines()} == {"."}


def test_a_pipeline_and_a_search_are_unwrapped(model):
    pipeline = make_pipeline(MinMaxScaler(), clone(model))
    search = GridSearchCV(pipeline, {f"{pipeline.steps[-1][0]}__alpha": [0.0]}, cv=2).fit(X, y)
    last = search.best_estimator_[-1]
    for estimator in (search, search.best_estimator_, last):
        display = TrainingCurveDisplay.from_estimator(estimator)
        assert_allclose(drawn(display)["-"][:, 1], last.loss_curve_)
        assert WeightsDisplay.from_estimator(estimator, image_shape=(2, 3)).n_units == 8


def test_the_images_are_the_largest_weights():
    weights = rng.randn(6, 9)
    weights[:, [1, 4, 7, 8]] *= 10
    display = WeightsDisplay(weights, image_shape=(2, 3), n_units=4).plot()
    image = display.im_.get_array().filled(np.nan)
    assert image.shape == (2 * 2 + 1, 2 * 3 + 1)
    assert_array_equal(image[:2, :3], weights[:, 1].reshape(2, 3))
    assert_array_equal(image[3:, 4:], weights[:, 8].reshape(2, 3))
    assert np.isnan(image[2]).all()
    low, high = display.im_.get_clim()
    assert -low == high == np.abs(weights).max()


def test_a_square_is_found_and_all_units_fit():
    display = WeightsDisplay(rng.randn(16, 3)).plot(plt.figure().subplots(), cmap="viridis")
    assert display.im_.get_array().shape == (9, 9)  # two by two images of 4 by 4, one of them empty
    assert display.im_.get_cmap().name == "viridis"


def test_errors_name_the_argument_and_the_remedy(model):
    with pytest.raises(ValueError, match=r"metric='accuracy' is not accepted: .*'loss', 'score'"):
        TrainingCurveDisplay.from_estimator(model, metric="accuracy")
    with pytest.raises(ValueError, match=r"x='time' is not accepted: .*'seconds'"):
        TrainingCurveDisplay.from_estimator(model, x="time")
    with pytest.raises(ValueError, match=r"pass X_val and y_val to fit"):
        TrainingCurveDisplay.from_estimator(streamed(clone(model), X, y), metric="score")
    with pytest.raises(ValueError, match=r"image_shape=\(2, 2\) is not accepted: .* 6 features"):
        WeightsDisplay.from_estimator(model)
    with pytest.raises(NotFittedError):
        TrainingCurveDisplay.from_estimator(clone(model))


def test_without_matplotlib_the_error_says_how_to_install_it():
    code = """
import sys
sys.modules["matplotlib"] = None  # importing it fails
from sknumpynet import NumpyMLPClassifier, TrainingCurveDisplay
model = NumpyMLPClassifier(2, max_iter=2).fit([[0.0], [1.0]] * 20, [0, 1] * 20)
try:
    TrainingCurveDisplay.from_estimator(model)
except ImportError as error:
    print(error)
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install matplotlib" in out.stdout
