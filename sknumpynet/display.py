"""Pictures of a fitted classifier, in the style of scikit-learn's displays.

matplotlib is imported when something is drawn.
"""

from math import ceil, isqrt, sqrt
from typing import Any, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from sknumpynet.core.state import PILOT_RUNS
from sknumpynet.core.types import Floats

Metric: TypeAlias = Literal["loss", "score"]
Progress: TypeAlias = Literal["epoch", "samples", "seconds"]

# What the axes show: label, and the columns of the history with the style of their lines.
METRICS = {
    "loss": ("loss", {"loss": ("training", "-"), "validation_loss": ("validation", "--")}),
    "score": ("score", {"validation_score": ("validation", "--")}),
}
PROGRESS = {"epoch": "epoch", "samples": "samples seen", "seconds": "seconds"}


class TrainingCurveDisplay:
    """Loss or validation score of each epoch.

    `from_estimator` draws it. Draw several estimators on the same axes to compare them. The pilot
    run is pale, and a dotted line shows where it ends.

    Parameters
    ----------
    history : dict of lists
        ``history_`` of a fitted `NumpyMLPClassifier`.
    metric : {'loss', 'score'}, default='loss'
        The training and validation loss, or the validation score.
    x : {'epoch', 'samples', 'seconds'}, default='epoch'
        What the horizontal axis shows: epochs, rows trained on, or seconds.
    name : str or None, default=None
        Name of the estimator in the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D

    Raises
    ------
    ValueError
        If `metric` or `x` is not accepted, or the history has no such values.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknumpynet import NumpyMLPClassifier, TrainingCurveDisplay
    >>> model = NumpyMLPClassifier(max_iter=20, random_state=0).fit(*load_iris(return_X_y=True))
    >>> TrainingCurveDisplay.from_estimator(model).ax_.get_xlabel()
    'epoch'
    """

    def __init__(
        self,
        history: dict[str, list[Any]],
        *,
        metric: Metric = "loss",
        x: Progress = "epoch",
        name: str | None = None,
    ) -> None:
        for argument, value, accepted in (("metric", metric, METRICS), ("x", x, PROGRESS)):
            if value not in accepted:
                raise ValueError(
                    f"{argument}={value!r} is not accepted: it must be one of {list(accepted)}."
                )
        self.history, self.name = history, name
        self.metric, self.x = metric, x

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        metric: Metric = "loss",
        x: Progress = "epoch",
        name: str | None = None,
        ax: Any = None,
        **line_kw: Any,
    ) -> Self:
        """Draw the training of a fitted classifier.

        Parameters
        ----------
        estimator : NumpyMLPClassifier, or a Pipeline or search that ends with one
            Fitted.
        metric : {'loss', 'score'}, default='loss'
            The training and validation loss, or the validation score.
        x : {'epoch', 'samples', 'seconds'}, default='epoch'
            What the horizontal axis shows.
        name : str or None, default=None
            Name of the estimator in the legend.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **line_kw
            Options of ``Axes.plot``.

        Returns
        -------
        display : TrainingCurveDisplay
            The display itself, with what was drawn.
        """
        history = classifier_of(estimator).history_
        return cls(history, metric=metric, x=x, name=name).plot(ax, **line_kw)

    def plot(self, ax: Any = None, **line_kw: Any) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **line_kw
            Options of ``Axes.plot``.

        Returns
        -------
        display : TrainingCurveDisplay
            The display itself, with what was drawn.
        """
        label, columns = METRICS[self.metric]
        curves = {column: np.array(self.history[column], float) for column in columns}
        curves = {column: y for column, y in curves.items() if np.isfinite(y).any()}
        if not curves:
            raise ValueError(
                f"metric={self.metric!r} has no values in the history: pass X_val and y_val to fit "
                "or set early_stopping=True."
            )
        self.ax_ = axes_for(self, ax)
        self.figure_, self.lines_ = self.ax_.figure, []
        x, is_pilot = self.progress(), np.isin(self.history["phase"], PILOT_RUNS)
        for column, y in curves.items():
            what, style = columns[column]
            legend = what if self.name is None else f"{self.name}, {what}"
            for part, alpha in ((~is_pilot, 1.0), (is_pilot, 0.45)):
                if np.isfinite(y[part]).any():
                    color = self.lines_[0].get_color() if self.lines_ else None
                    options = {"linestyle": style, "color": color, "alpha": alpha, "label": legend}
                    self.lines_ += self.ax_.plot(x[part], y[part], **{**options, **line_kw})
                    legend = None
        if is_pilot.any() and not is_pilot.all():
            self.ax_.axvline(x[is_pilot][-1], color=self.lines_[0].get_color(), linestyle=":")
        self.ax_.set(xlabel=PROGRESS[self.x], ylabel=label)
        if self.metric == "loss" and all((y[np.isfinite(y)] > 0).all() for y in curves.values()):
            self.ax_.set_yscale("log")
        self.ax_.legend()
        return self

    def progress(self) -> NDArray[Any]:
        """Return the position of each epoch on the horizontal axis."""
        if self.x == "epoch":
            return np.array(self.history["epoch"])
        if self.x == "seconds":
            return np.cumsum(self.history["seconds"])
        seen = np.array(self.history["samples_seen"], float)
        steps = np.diff(seen, prepend=0.0)
        # Where training starts again, the count does as well.
        return np.cumsum(np.where(steps < 0, seen, steps))


class WeightsDisplay:
    """Weights into the hidden units, as images.

    Parameters
    ----------
    weights : ndarray of shape (n_features, n_units)
        ``coefs_[0]`` of a fitted `NumpyMLPClassifier`.
    image_shape : (int, int) or None, default=None
        Height and width of an image; None is a square.
    n_units : int, default=36
        How many units to show: those with the largest weights.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    im_ : matplotlib AxesImage

    Raises
    ------
    ValueError
        If the features do not fill the image.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sknumpynet import NumpyMLPClassifier, WeightsDisplay
    >>> model = NumpyMLPClassifier(max_iter=2, random_state=0).fit(*load_digits(return_X_y=True))
    >>> WeightsDisplay.from_estimator(model, n_units=4).im_.get_array().shape
    (17, 17)
    """

    def __init__(
        self, weights: Floats, *, image_shape: tuple[int, int] | None = None, n_units: int = 36
    ) -> None:
        side = isqrt(len(weights))
        self.image_shape = (side, side) if image_shape is None else tuple(image_shape)
        if np.prod(self.image_shape) != len(weights):
            raise ValueError(
                f"image_shape={self.image_shape} is not accepted: the network has {len(weights)} "
                "features. Pass the height and width of the images."
            )
        self.weights, self.n_units = weights, min(n_units, weights.shape[1])

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        image_shape: tuple[int, int] | None = None,
        n_units: int = 36,
        ax: Any = None,
        **im_kw: Any,
    ) -> Self:
        """Draw the weights of a fitted classifier's first layer.

        Parameters
        ----------
        estimator : NumpyMLPClassifier, or a Pipeline or search that ends with one
            Fitted.
        image_shape : (int, int) or None, default=None
            Height and width of an image; None is a square.
        n_units : int, default=36
            How many units to show: those with the largest weights.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **im_kw
            Options of ``Axes.imshow``.

        Returns
        -------
        display : WeightsDisplay
            The display itself, with what was drawn.
        """
        weights = classifier_of(estimator).coefs_[0]
        return cls(weights, image_shape=image_shape, n_units=n_units).plot(ax, **im_kw)

    def plot(self, ax: Any = None, **im_kw: Any) -> Self:
        """Draw the images, black for the most negative weight and white for the largest one.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **im_kw
            Options of ``Axes.imshow``.

        Returns
        -------
        display : WeightsDisplay
            The display itself, with what was drawn.
        """
        self.ax_ = axes_for(self, ax)
        self.figure_ = self.ax_.figure
        largest = np.argsort(-np.linalg.norm(self.weights, axis=0))[: self.n_units]
        n_columns = ceil(sqrt(self.n_units))
        n_rows, (height, width) = ceil(self.n_units / n_columns), self.image_shape
        # One pixel of nothing between the images.
        mosaic = np.full((n_rows * (height + 1) - 1, n_columns * (width + 1) - 1), np.nan)
        for k, unit in enumerate(np.sort(largest)):
            top, left = k // n_columns * (height + 1), k % n_columns * (width + 1)
            image = self.weights[:, unit].reshape(height, width)
            mosaic[top : top + height, left : left + width] = image
        bound = np.abs(self.weights[:, largest]).max()
        options = {"cmap": "gray", "vmin": -bound, "vmax": bound, "interpolation": "nearest"}
        self.im_ = self.ax_.imshow(mosaic, **{**options, **im_kw})
        self.ax_.set_axis_off()
        return self


def classifier_of(estimator):
    """Return the fitted classifier in a search or at the end of a pipeline."""
    estimator = getattr(estimator, "best_estimator_", estimator)
    estimator = estimator[-1] if hasattr(estimator, "steps") else estimator
    check_is_fitted(estimator)
    return estimator


def axes_for(display, ax):
    """Return the axes that were given, or those of a new figure."""
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{type(display).__name__} draws with matplotlib: install it by pip install matplotlib."
        ) from error
    return plt.subplots()[1]
