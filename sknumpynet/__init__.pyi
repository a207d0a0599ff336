from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin

__version__: str

Auto: TypeAlias = Literal["auto"]
Metric: TypeAlias = Literal["loss", "score"]
Progress: TypeAlias = Literal["epoch", "samples", "seconds"]
Table: TypeAlias = Any  # array-like, data frame or sparse matrix

class NumpyMLPClassifier(ClassifierMixin, BaseEstimator):
    classes_: NDArray[Any]
    settings_: dict[str, Any]
    params_: NDArray[np.floating]
    coefs_: list[NDArray[np.floating]]
    intercepts_: list[NDArray[np.floating]]
    n_layers_: int
    n_outputs_: int
    out_activation_: Literal["softmax", "logistic"]
    n_iter_: int
    t_: int
    temperature_: float
    loss_: float
    loss_curve_: list[float]
    best_loss_: float | None
    validation_scores_: list[float] | None
    best_validation_score_: float | None
    history_: dict[str, list[Any]]
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] | Auto = "auto",
        activation: str = "auto",
        *,
        preset: Literal["tuned", "sklearn"] = "tuned",
        effort: float = 1.0,
        solver: str = "adam",
        alpha: float | Auto = "auto",
        batch_size: int | Auto = "auto",
        learning_rate: str = "auto",
        learning_rate_init: float | Auto = "auto",
        power_t: float = 0.5,
        max_iter: int | Auto = "auto",
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float | Auto = "auto",
        epsilon: float | Auto = "auto",
        n_iter_no_change: float | Auto = "auto",
        max_fun: int = 15000,
        class_weight: dict[Any, float] | Literal["balanced"] | None = None,
        dropout: float | Sequence[float] = 0.0,
        label_smoothing: float | Auto = "auto",
        input_lr_multiplier: float | Auto = "auto",
        weight_decay: float | Auto = "auto",
        scoring: str | Callable[..., float] = "accuracy",
        max_time: float | None = None,
        dtype: Literal["auto", "float32", "float64"] = "auto",
    ) -> None: ...
    def fit(
        self,
        X: Table,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: Table | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
    ) -> Self: ...
    def partial_fit(
        self,
        X: Table,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        classes: ArrayLike | None = None,
    ) -> Self: ...
    def predict(self, X: Table) -> NDArray[Any]: ...
    def predict_proba(self, X: Table) -> NDArray[np.float64]: ...
    def predict_log_proba(self, X: Table) -> NDArray[np.float64]: ...
    def decision_function(self, X: Table) -> NDArray[np.float64]: ...
    def score(self, X: Table, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float: ...
    def get_params(self, deep: bool = True) -> dict[str, Any]: ...
    def set_params(self, **params: Any) -> Self: ...
    def set_callbacks(self, *callbacks: Any) -> Self: ...

class NumericalEncoder(TransformerMixin, BaseEstimator):
    center_: NDArray[np.float64]
    scale_: NDArray[np.float64]
    gross_: NDArray[np.float64]
    is_binary_: NDArray[np.bool]
    has_missing_: NDArray[np.bool]
    edges_: list[NDArray[np.float32]]
    imputer_: Any
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]

    def __init__(self, n_bins: int | Auto = "auto") -> None: ...
    def fit(
        self, X: Table, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> Self: ...
    def transform(self, X: Table) -> Any: ...
    def get_feature_names_out(
        self, input_features: ArrayLike | None = None
    ) -> NDArray[np.object_]: ...

class Checkpoint:
    path: str | PathLike[str]
    every_epochs: int | None
    every_seconds: float | None
    keep: int

    def __init__(
        self,
        path: str | PathLike[str],
        every_epochs: int | None = None,
        every_seconds: float | None = 60.0,
        keep: int = 2,
    ) -> None: ...
    def setup(self, estimator: Any, context: Any) -> None: ...
    def teardown(self, estimator: Any, context: Any) -> None: ...
    def on_fit_task_begin(self, estimator: Any, context: Any) -> None: ...
    def on_fit_task_end(self, estimator: Any, context: Any) -> None: ...

class TrainingCurveDisplay:
    ax_: Any
    figure_: Any
    lines_: list[Any]

    def __init__(
        self,
        history: dict[str, list[Any]],
        *,
        metric: Metric = "loss",
        x: Progress = "epoch",
        name: str | None = None,
    ) -> None: ...
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
    ) -> Self: ...
    def plot(self, ax: Any = None, **line_kw: Any) -> Self: ...
    def progress(self) -> NDArray[Any]: ...

class WeightsDisplay:
    ax_: Any
    figure_: Any
    im_: Any

    def __init__(
        self,
        weights: NDArray[np.floating],
        *,
        image_shape: tuple[int, int] | None = None,
        n_units: int = 36,
    ) -> None: ...
    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        image_shape: tuple[int, int] | None = None,
        n_units: int = 36,
        ax: Any = None,
        **im_kw: Any,
    ) -> Self: ...
    def plot(self, ax: Any = None, **im_kw: Any) -> Self: ...
