"""`NumpyMLPClassifier`: its parameters, and what is about classes."""

from collections.abc import Callable, Sequence
from math import log
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if

from sknumpynet.core.losses import LOSSES
from sknumpynet.core.types import Auto, Floats, Table
from sknumpynet.data.classes import ClassTargets
from sknumpynet.data.labels import read_labels
from sknumpynet.estimator import NetworkEstimator
from sknumpynet.fit.attributes import network_of
from sknumpynet.fit.callbacks import with_callbacks

# The logarithm of the smallest normal number: a lower bound that keeps probabilities above zero.
LEAST_LOG = log(np.finfo(float).tiny)
BELOW_ONE = 1 - np.finfo(float).epsneg


class NumpyMLPClassifier(ClassifierMixin, NetworkEstimator):
    """Dense neural-network classifier, trained by backpropagation written in NumPy.

    A drop-in for `sklearn.neural_network.MLPClassifier`: the same parameters, attributes and
    methods, and more of each. ``preset='sklearn'`` also has its defaults. ``preset='tuned'`` has
    defaults that were chosen by measurement. A parameter left at 'auto' means, by preset, method
    and solver (`settings_` shows the values of a fitted estimator):

    ===================  ==========  ==========  ==========  ============  ========
    parameter            fit, adam   fit, sgd    fit, lbfgs  partial_fit   sklearn
    ===================  ==========  ==========  ==========  ============  ========
    hidden_layer_sizes   (256, 256)  (256, 256)  (100,)      (256, 256)    (100,)
    activation           gelu        gelu        tanh        gelu          relu
    alpha                0.0         0.0001      1.0         0.0 / 0.0001  0.0001
    batch_size           [a]         [a]         200         16            200
    learning_rate        one_cycle   one_cycle   constant    constant      constant
    learning_rate_init   0.005       0.2         0.001       0.002 / 0.05  0.001
    input_lr_multiplier  [b]         1.0         1.0         [b] / 1.0     1.0
    beta_2               [c]         [c]         0.9         0.98          0.999
    epsilon              0.0         0.0         0.0         0.0           1e-08
    label_smoothing      [d]         [d]         0.0         0.1           0.0
    dropout              0.0         0.0         0.0         0.0           0.0
    weight_decay         0.1         0.0         0.0         0.1 / 0.0     0.0
    n_iter_no_change     [e]         [e]         10          inf           10
    dtype                [f]         [f]         float64     float32       [g]
    ===================  ==========  ==========  ==========  ============  ========

    - [a] 128; 32 below 500 rows
    - [b] sqrt(50 / total variance of X), within [1, 16]; less for collinear features
    - [c] 0.9; 0.95 from 20,000 rows on
    - [d] 0.1; 0.001 if there are nearly as many classes as rows
    - [e] np.inf; 40 with early_stopping; 10 with learning_rate='adaptive'
    - [f] float32; float64 below 50 rows
    - [g] the dtype of X if it is a float dtype, else float64

    In the column partial_fit, the second value is that of 'sgd'. Where a network is trained
    further, it keeps its ``hidden_layer_sizes``, ``activation``, ``label_smoothing``,
    ``input_lr_multiplier`` and ``dtype``.

    Words, such as TF-IDF features, have defaults of their own: if there are at least 1000 features,
    at most a fiftieth of the numbers is not 0, and rows differ in how many are not, a tuned fit by
    'adam' takes a quarter of the epochs, with ``hidden_layer_sizes=(100,)``, ``dropout=0.5`` and
    ``input_lr_multiplier=1.0``, and `partial_fit` has ``hidden_layer_sizes=(100,)``.

    From 16 distinct rows on, a tuned fit by 'adam' or 'sgd' begins with a pilot run, unless there
    is `early_stopping`, validation data, a warm start, or nearly a class for each row. It holds
    out a fifth of the rows, but at most 5000; a small table is cross-validated. If an early epoch
    was the best, training starts again, with all rows, for about as many epochs. If not, it goes
    on with all rows for a quarter of the epochs, or cross-validated as long again.

    Parameters
    ----------
    hidden_layer_sizes : int, sequence of int or 'auto', default='auto'
        Units of each hidden layer; ``()`` is (multinomial) logistic regression.
    activation : {'identity', 'logistic', 'tanh', 'relu', 'leaky_relu', 'elu', 'selu', 'silu', \
            'gelu', 'auto'}, default='auto'
        Activation function of the hidden layers.
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
        The part of X that `early_stopping` holds out, stratified if every class allows it. Copies
        of a row stay on one side of the split, unless there are more than 4 rows for each distinct
        one. Validation rows count by `sample_weight` and `class_weight`.
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
    class_weight : dict, 'balanced' or None, default=None
        Weight of each class, ``{label: weight}`` with 1 where a label is missing; 'balanced' gives
        all classes the same sum of weights (in `partial_fit`: over all rows seen so far). It
        multiplies `sample_weight`. For multilabel targets the classes of each label are 0 and 1.
    dropout : float, sequence of float or 'auto', default='auto'
        Probability of dropping a unit in a training step, for all hidden layers or for each one.
    label_smoothing : float or 'auto', default='auto'
        Fraction of each target that is spread evenly over all classes. Predicted probabilities are
        unsmoothed.
    input_lr_multiplier : float or 'auto', default='auto'
        Factor on the learning rate of the first layer's weights. Raise it when features are few or
        small. Not used by 'lbfgs'.
    weight_decay : float or 'auto', default='auto'
        Decoupled weight decay, as in AdamW: before each step the weights, not the biases, shrink
        by the factor ``1 - learning_rate * weight_decay``.
    scoring : str or callable, default='accuracy'
        Score of the validation rows: 'accuracy', 'loss' (the negative validation loss), any
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
    classes_ : ndarray of shape (n_classes,)
        The class labels; for multilabel targets 0 .. n_labels - 1.
    settings_ : dict
        The values that the last call trained with, nothing left at 'auto', and ``pilot_epochs``,
        the largest number of epochs of a pilot run, 0 without one.
    params_ : ndarray of shape (n_parameters,)
        All weights, then all biases.
    coefs_ : list of ndarray of shape (fan_in, fan_out)
        Weights of each layer: views of `params_`. Assigning an item writes to `params_`.
    intercepts_ : list of ndarray of shape (fan_out,)
        Biases of each layer, likewise.
    n_layers_ : int
        Number of hidden layers + 2.
    n_outputs_ : int
        Outputs of the network: 1 for two classes, else n_classes or n_labels.
    out_activation_ : {'softmax', 'logistic'}
        'logistic' for two classes and multilabel targets, else 'softmax'.
    n_iter_ : int
        Epochs of the last call of `fit`, pilot runs included, plus one for each `partial_fit`
        since. An epoch of all folds of a cross-validated pilot run counts as one.
    t_ : int
        Samples seen since the parameters were initialised. A pilot run counts if its network goes
        on, and does not if training starts again.
    temperature_ : float
        Predicted probabilities are proportional to ``p ** (1 / temperature_)``, p from the
        logits. It lowers the loss of the rows that the pilot run held out; 1 without a pilot run.
    loss_ : float
        Loss of the last epoch: the mean over its minibatches, penalty included. With label
        smoothing the entropy of the smoothed targets is subtracted, so that a perfect fit has a
        loss of 0, as the log-loss does.
    loss_curve_ : list of float
        Loss of each epoch in `history_`.
    best_loss_ : float or None
        The smallest of `loss_curve_`; None with `early_stopping`.
    validation_scores_ : list of float or None
        Validation score of each epoch that had one, the pilot run excepted.
    best_validation_score_ : float or None
        The best of those of the last call of `fit`.
    history_ : dict of lists
        A value for each epoch since the network was new: 'phase' ('pilot', 'second pilot', 'fit'
        or 'partial_fit'), 'epoch' (from 1), 'loss', 'learning_rate' (at the epoch's last step),
        'seconds', 'validation_loss' (without penalty and smoothing), 'validation_score' (the
        accuracy where the pilot run is cross-validated) and 'samples_seen' (`t_` after the epoch),
        nan if unknown.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if X has names that are all strings.

    Notes
    -----
    A call that fails leaves the estimator as it was. If training is interrupted, or diverges after
    at least one good epoch, the estimator stands as after the last whole epoch.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import MinMaxScaler
    >>> from sknumpynet import NumpyMLPClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> model = make_pipeline(MinMaxScaler(), NumpyMLPClassifier(random_state=0))
    >>> model.fit(X_train, y_train).score(X_test, y_test) > 0.97
    True
    """

    _targets = ClassTargets

    classes_: NDArray[Any]
    settings_: dict[str, Any]
    params_: Floats
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
        dropout: float | Sequence[float] | Auto = "auto",
        label_smoothing: float | Auto = "auto",
        input_lr_multiplier: float | Auto = "auto",
        weight_decay: float | Auto = "auto",
        scoring: str | Callable[..., float] = "accuracy",
        max_time: float | None = None,
        dtype: Literal["auto", "float32", "float64"] = "auto",
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
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
        self.class_weight = class_weight
        self.dropout = dropout
        self.label_smoothing = label_smoothing
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

        With ``warm_start=True`` training continues from the parameters, the optimizer's state and
        the random stream of the last call; otherwise it starts with a new network. Patience and the
        learning-rate schedule start anew in each call.

        Parameters
        ----------
        X : {array-like, CSR or CSC} of shape (n_samples, n_features)
            Training data: finite numbers of any dtype. Scale them first; it matters.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Class labels of any type, or a multilabel indicator of 0 and 1.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, >= 0. A row of weight 2 counts as two rows.
        X_val : {array-like, CSR or CSC} of shape (n_val, n_features), default=None
            Validation data. Their loss and score are recorded in `history_`, and `early_stopping`
            uses them instead of a part of X. In a Pipeline, list the name in ``transform_input``
            to have them transformed as X is.
        y_val : array-like of shape (n_val,) or (n_val, n_labels), default=None
            Their labels.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : NumpyMLPClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter, X, y or a weight is not accepted, or the loss stops being finite.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))

    @available_if(lambda self: self.solver != "lbfgs")
    def partial_fit(
        self,
        X: Table,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        classes: ArrayLike | None = None,
    ) -> Self:
        """Train for one epoch on X and y; the first call starts a new network.

        Parameters, the optimizer's state and the random stream continue from call to call, also
        after pickling. All parameters of the constructor but the architecture may be changed in
        between. Schedules with an end ('linear', 'cosine', 'one_cycle') and 'adaptive' keep the
        learning rate constant; 'invscaling' goes on with the samples seen.

        Parameters
        ----------
        X : {array-like, CSR or CSC} of shape (n_samples, n_features)
            A part of the data.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Its labels; not every class needs to occur.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, relative to the others of this call.
        classes : array-like of shape (n_classes,), default=None
            All classes that will ever occur; needed in the first call only.

        Returns
        -------
        self : NumpyMLPClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            As in `fit`, for labels that are not among the classes, and with ``early_stopping``.
        """
        self._parameters()  # what they refuse comes first
        if classes is None and not self.__sklearn_is_fitted__():
            raise ValueError(
                "classes must be given in the first call of partial_fit, by keyword: classes=... "
                "The third position is sample_weight."
            )
        return self._partial_fit(X, y, sample_weight, classes)

    def _new_targets(self, y, weight, announced):
        return ClassTargets.of(y, announced)

    def score(self, X: Table, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the accuracy: the fraction of rows, by weight, whose labels are all right.

        Parameters
        ----------
        X : {array-like, CSR or CSC} of shape (n_samples, n_features)
            Finite numbers, scaled as in training.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            The right labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        score : float
            From 0 to 1.
        """
        return super().score(X, read_labels(y), sample_weight)

    def predict(self, X: Table) -> NDArray[Any]:
        """Return the most probable class of each row, or 0 / 1 for each label.

        Parameters
        ----------
        X : {array-like, CSR or CSC} of shape (n_samples, n_features)
            Finite numbers, scaled as in training.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            Labels from `classes_`, or a multilabel indicator.
        """
        fitted = self._frozen()
        encoded = fitted._predict_blocks(X, LOSSES[fitted.out_activation_].predict)
        return ClassTargets.of_fitted(vars(fitted)).decode(encoded)

    def predict_proba(self, X: Table) -> NDArray[np.float64]:
        """Return the probability of each class, or of each label.

        Parameters
        ----------
        X : {array-like, CSR or CSC} of shape (n_samples, n_features)
            Finite numbers, scaled as in training.

        Returns
        -------
        proba : ndarray of float64 of shape (n_samples, n_classes)
            Columns as in `classes_`, all above 0 and below 1. Rows sum to 1, except for
            multilabel targets.
        """
        proba = self.predict_log_proba(X)
        np.exp(proba, out=proba)
        return np.minimum(proba, BELOW_ONE, out=proba)

    def predict_log_proba(self, X: Table) -> NDArray[np.float64]:
        """Return the logarithm of each probability, computed from the logits, at least -708.

        Parameters
        ----------
        X : {array-like, CSR or CSC} of shape (n_samples, n_features)
            Finite numbers, scaled as in training.

        Returns
        -------
        log_proba : ndarray of float64 of shape (n_samples, n_classes)
            Columns as in `classes_`.
        """
        fitted = self._frozen()
        has_two_classes = fitted.out_activation_ == "logistic" and fitted.n_outputs_ == 1
        loss = network_of(vars(fitted)).loss

        def inverse_link(logits):
            logits = logits.astype(np.float64)
            if has_two_classes:  # the logits of the first one are the negative ones
                logits = np.hstack([-logits, logits])
            logs = loss.log_proba(logits)
            return np.maximum(logs, LEAST_LOG, out=logs)

        return fitted._predict_blocks(X, inverse_link)

    def decision_function(self, X: Table) -> NDArray[np.float64]:
        """Return the logits, the network's outputs before softmax or the logistic function.

        `predict_proba` also undoes label smoothing and applies `temperature_`.

        Parameters
        ----------
        X : {array-like, CSR or CSC} of shape (n_samples, n_features)
            Finite numbers, scaled as in training.

        Returns
        -------
        logits : ndarray of float64 of shape (n_samples,) or (n_samples, n_outputs)
            For two classes one number, positive for ``classes_[1]``.
        """
        fitted = self._frozen()
        logits = fitted._predict_blocks(X, lambda logits: logits.astype(np.float64))
        return logits.ravel() if fitted.n_outputs_ == 1 else logits

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
