"""`NumpyMLPRegressor`: its parameters, and what is about numbers."""

from collections.abc import Callable, Sequence
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.metrics import d2_pinball_score, r2_score
from sklearn.utils.metaestimators import available_if

from sknumpynet.core.types import Auto, Table
from sknumpynet.data.numbers import NumberTargets, levels_of
from sknumpynet.estimator import NetworkEstimator
from sknumpynet.fit.attributes import network_of
from sknumpynet.fit.callbacks import with_callbacks
from sknumpynet.versioning import warn_user

# From fewer rows, the mean and the deviation of y are badly estimated.
FEW_ROWS = 10


class NumpyMLPRegressor(RegressorMixin, NetworkEstimator):
    """Dense neural-network regressor, trained by backpropagation written in NumPy.

    A drop-in for `sklearn.neural_network.MLPRegressor`: the same parameters, attributes and
    methods, and more of each. ``preset='sklearn'`` also has its defaults. ``preset='tuned'`` has
    those of `NumpyMLPClassifier`, without label smoothing and with the exceptions below. It
    standardises y: the network predicts ``(y - target_center_) / target_scale_``.

    ==================  ==========  ==========  ==========  ============  =======
    parameter           fit, adam   fit, sgd    fit, lbfgs  partial_fit   sklearn
    ==================  ==========  ==========  ==========  ============  =======
    hidden_layer_sizes  (128, 128)  (128, 128)  (100,)      (128, 128)    (100,)
    learning_rate_init  0.005       0.1         0.001       0.002 / 0.02  0.001
    ==================  ==========  ==========  ==========  ============  =======

    Parameters
    ----------
    loss : {'squared_error', 'absolute_error', 'huber', 'quantile', 'poisson'}, \
            default='squared_error'
        What is minimised, and thereby what is predicted: the mean, the median, something between
        the two, a quantile, or the mean of numbers >= 0 by the exponential function.
    hidden_layer_sizes : int, sequence of int or 'auto', default='auto'
        Units of each hidden layer; ``()`` is linear regression.
    activation : {'identity', 'logistic', 'tanh', 'relu', 'leaky_relu', 'elu', 'selu', 'silu', \
            'gelu', 'auto'}, default='auto'
        Activation function of the hidden layers.
    quantile : float or sequence of float, default=0.5
        Level of the quantile that ``loss='quantile'`` predicts, or several in ascending order,
        which one network predicts, and which never cross.
    huber_width : float, default=1.35
        Largest residual, in units of `target_scale_`, that ``loss='huber'`` squares.
    preset : {'tuned', 'sklearn'}, default='tuned'
        What the parameters left at 'auto' mean; see above.
    effort : float, default=1.0
        Factor on the number of epochs that the preset would train for: 0.25 for a quick look or a
        grid search, 4 for a small further gain. Not used by `partial_fit`.
    solver : {'lbfgs', 'sgd', 'adam'}, default='adam'
        Optimizer: L-BFGS on the loss of all rows, or first-order steps on minibatches.
    alpha : float or 'auto', default='auto'
        L2 penalty: ``0.5 * alpha * sum(W**2) / n`` is added to the loss of a minibatch of n rows;
        with weights, n is multiplied by their mean. Biases are not penalised.
    batch_size : int or 'auto', default='auto'
        Rows of a minibatch. Not used by 'lbfgs'.
    learning_rate : {'constant', 'invscaling', 'adaptive', 'linear', 'cosine', 'one_cycle', \
            'auto'}, default='auto'
        Schedule of the learning rate, with 'sgd' and 'adam' alike:

        - 'constant' keeps `learning_rate_init`;
        - 'invscaling' divides it by ``(1 + samples seen) ** power_t``, epoch by epoch;
        - 'adaptive' divides it by 5 whenever the stopping rule would end training, until it is
          below 1e-6;
        - 'linear' and 'cosine' lower it to 0 at the end of training, in a straight line or along
          half a cosine;
        - 'one_cycle' warms up to it in the first tenth, then lowers it to 0 along half a cosine.

        Training ends after `max_iter` epochs or after `max_time`, whichever comes first.
    learning_rate_init : float or 'auto', default='auto'
        Learning rate of the first step, and the peak of 'one_cycle'.
    power_t : float, default=0.5
        Exponent of 'invscaling'.
    max_iter : int or 'auto', default='auto'
        Largest number of epochs of a call of `fit`, pilot runs included; for 'lbfgs', of
        iterations. With ``preset='tuned'`` and 'adam' or 'sgd', an int shortens training, and the
        schedule ends accordingly, but never makes it longer than 'auto' does; see `effort`.
    shuffle : bool, default=True
        Whether each epoch takes the rows in a new random order.
    random_state : int, RandomState or None, default=None
        One stream for initialisation, validation split, shuffling and dropout; an int makes
        results repeatable.
    tol : float, default=1e-4
        Smallest change of the loss or validation score that counts as an improvement; for 'lbfgs'
        the largest component of the gradient at convergence, unless the loss stops changing first.
    verbose : bool or int, default=False
        Whether to print the loss, validation loss and score, and seconds of each epoch.
    warm_start : bool, default=False
        Whether `fit` continues from the parameters, the optimizer's state and the random stream of
        the last call.
    momentum : float, default=0.9
        Momentum of 'sgd'; 0 is plain gradient descent.
    nesterovs_momentum : bool, default=True
        Whether 'sgd' uses Nesterov's form of momentum.
    early_stopping : bool, default=False
        Whether to monitor the score of validation rows instead of the training loss, and to keep
        the parameters of the best epoch. The rows are `X_val` of `fit`, or a part of X. 'lbfgs'
        ignores it without `X_val`, as scikit-learn does.
    validation_fraction : float, default=0.1
        The part of X that `early_stopping` holds out, at random. Copies
        of a row stay on one side of the split, unless there are more than 4 rows for each distinct
        one. Validation rows count by `sample_weight`.
    beta_1 : float, default=0.9
        Decay of the first moments of 'adam'.
    beta_2 : float or 'auto', default='auto'
        Decay of the second moments of 'adam'.
    epsilon : float or 'auto', default='auto'
        Added to the root of the second moment of 'adam'. 0 makes steps faster: the reciprocal of
        the root is then approximated, within 3.5 %.
    n_iter_no_change : int, np.inf or 'auto', default='auto'
        Stop after this many epochs in a row without an improvement of `tol`. In a pilot run it
        ends that run only, and not if that is cross-validated. 'lbfgs' uses it with
        `early_stopping` only.
    max_fun : int, default=15000
        Largest number of evaluations of the loss by 'lbfgs'.
    dropout : float, sequence of float or 'auto', default='auto'
        Probability of dropping a unit in a training step, for all hidden layers or for each one.
    input_lr_multiplier : float or 'auto', default='auto'
        Factor on the learning rate of the first layer's weights. Raise it when features are few or
        small. Not used by 'lbfgs'.
    weight_decay : float or 'auto', default='auto'
        Decoupled weight decay, as in AdamW: before each step the weights, not the biases, shrink
        by the factor ``1 - learning_rate * weight_decay``.
    scoring : str or callable, default='r2'
        Score of the validation rows: 'r2', 'loss' (the negative validation loss), any
        scorer's name, or ``scorer(estimator, X, y)``, which gets ``sample_weight`` if it has such
        an argument.
    max_time : float or None, default=None
        Seconds after which a call of `fit` ends, also within an epoch. The schedule is stretched
        or compressed accordingly. Of many validation rows, only a random part is then evaluated.
    dtype : {'auto', 'float32', 'float64'}, default='auto'
        Dtype of the parameters and of the arithmetic. With few rows float64 costs nothing, and
        makes a row of weight 2 equal to two rows within rounding.

    Attributes
    ----------
    target_center_, target_scale_ : ndarray of shape (`n_outputs_`,)
        What is subtracted from y, and what it is divided by: its mean and standard deviation. With
        'absolute_error', 'huber' and 'quantile' they are the median and 1.4826 times the median
        distance from it, of the values that differ from it. With 'poisson' y is divided by its
        mean. With ``preset='sklearn'`` they are 0 and 1.
    out_activation_ : {'identity', 'exp'}
        'exp' with 'poisson'.
    validation_scores_ : list of float or None
        Coefficient of determination, or what `scoring` says, of each epoch that had one.
    all others
        As those of `NumpyMLPClassifier`.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.pipeline import make_pipeline
    >>> from sknumpynet import NumericalEncoder
    >>> from sknumpynet.regressor import NumpyMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> model = make_pipeline(NumericalEncoder(), NumpyMLPRegressor(random_state=0))
    >>> model.fit(X_train, y_train).score(X_test, y_test) > 0.3
    True
    """

    _targets = NumberTargets
    # What only a classifier has as parameters.
    class_weight, label_smoothing = None, 0.0

    def __init__(
        self,
        loss: str = "squared_error",
        hidden_layer_sizes: int | Sequence[int] | Auto = "auto",
        activation: str = "auto",
        *,
        quantile: float | Sequence[float] = 0.5,
        huber_width: float = 1.35,
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
        dropout: float | Sequence[float] | Auto = "auto",
        input_lr_multiplier: float | Auto = "auto",
        weight_decay: float | Auto = "auto",
        scoring: str | Callable[..., float] = "r2",
        max_time: float | None = None,
        dtype: Literal["auto", "float32", "float64"] = "auto",
    ) -> None:
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.quantile = quantile
        self.huber_width = huber_width
        self.preset = preset
        self.effort = effort
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.dropout = dropout
        self.input_lr_multiplier = input_lr_multiplier
        self.weight_decay = weight_decay
        self.scoring = scoring
        self.max_time = max_time
        self.dtype = dtype

    @with_callbacks
    def fit(
        self,
        X: Table,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: Table | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
    ) -> Self:
        """Train on X and y, for at most `max_iter` epochs.

        Parameters
        ----------
        X : {array-like, CSR or CSC} of shape (n_samples, n_features)
            Training data: finite numbers of any dtype. Scale them first; it matters.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, >= 0. A row of weight 2 counts as two rows.
        X_val, y_val, sample_weight_val : array-like, default=None
            Validation data, as of `NumpyMLPClassifier.fit`.

        Returns
        -------
        self : NumpyMLPRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter, X, y or a weight is not accepted, or the loss stops being finite.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))

    @available_if(lambda self: self.solver != "lbfgs")
    def partial_fit(self, X: Table, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train for one epoch on X and y; the first call starts a new network.

        The first call determines `target_center_` and `target_scale_`.

        Parameters
        ----------
        X : {array-like, CSR or CSC} of shape (n_samples, n_features)
            A part of the data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Its numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, relative to the others of this call.

        Returns
        -------
        self : NumpyMLPRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            As in `fit`, and with ``early_stopping``.
        """
        is_new = not self.__sklearn_is_fitted__()
        self._partial_fit(X, y, sample_weight)
        if is_new and self.preset == "tuned" and self.t_ < FEW_ROWS:
            warn_user(
                f"target_center_ and target_scale_ are those of the {self.t_} rows of the first "
                f"call of partial_fit. Give it more of them, at least {FEW_ROWS}."
            )
        return self

    def predict(self, X: Table) -> NDArray[np.floating]:
        """Return the number, or the numbers, that each row is predicted to have.

        Parameters
        ----------
        X : {array-like, CSR or CSC} of shape (n_samples, n_features)
            Finite numbers, scaled as in training.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In float64; with ``preset='sklearn'`` in the dtype of the parameters. With several
            levels of `quantile`, a column for each.
        """
        fitted = self._frozen()
        predicted = fitted._predict_blocks(X, network_of(vars(fitted)).loss.predict)
        return NumberTargets.of_fitted(vars(fitted)).decode(predicted)

    def score(self, X: Table, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the coefficient of determination R^2; with several quantiles that of their loss.

        Parameters
        ----------
        X : {array-like, CSR or CSC} of shape (n_samples, n_features)
            Finite numbers, scaled as in training.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The right numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        score : float
            At most 1; 0 is as good as a constant.
        """
        fitted = self._frozen()
        predicted = fitted.predict(X)
        levels = levels_of(NumberTargets.of_fitted(vars(fitted)).options)
        if len(levels) == 1:
            return float(r2_score(y, predicted, sample_weight=sample_weight))
        scores = [
            d2_pinball_score(y, column, sample_weight=sample_weight, alpha=level)
            for column, level in zip(predicted.T, levels, strict=True)
        ]
        return float(np.mean(scores))

    def _new_targets(self, y, weight, announced):
        if announced is not None:
            return announced
        is_tuned = self.preset == "tuned"
        return NumberTargets.of(y, weight, self.loss, self._options(), standardised=is_tuned)

    def _options(self):
        """Return what the loss is made with."""
        if self.loss == "quantile":
            return {"level": np.asarray(self.quantile, float).tolist()}
        return {"width": float(self.huber_width)} if self.loss == "huber" else {}

    def _check_continues(self, values):
        """Raise if the parameters describe another network, or another loss."""
        super()._check_continues(values)
        fitted = NumberTargets.of_fitted(vars(self)).identity()
        if fitted != {"loss": self.loss, **self._options()}:
            raise ValueError(
                f"loss={self.loss!r} with {self._options()} differs from the network's {fitted}: "
                "restore it, or start a new estimator."
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.regressor_tags.poor_score = False
        return tags
