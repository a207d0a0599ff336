"""The scikit-learn face: validate, encode labels, assemble the parts, keep the record."""

import warnings
from copy import copy
from math import log

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from sknumpynet.activations import ACTIVATIONS
from sknumpynet.callbacks import CallbackSupportMixin, FitTask, with_callbacks
from sknumpynet.descent import Descent
from sknumpynet.losses import LOSSES
from sknumpynet.monitor import HeldOut
from sknumpynet.network import forward_in_blocks, initialize, views
from sknumpynet.parameters import check_parameters
from sknumpynet.recipe import FEW_ROWS, is_recipe, settle
from sknumpynet.schedules import BUDGETED
from sknumpynet.scout import scout
from sknumpynet.targets import Data, check_targets, encode, find_classes, plain
from sknumpynet.version import __version__
from sknumpynet.weights import check_weight

# The smallest normal number: what is not impossible does not look so.
LEAST_LOG = log(np.finfo(float).tiny)
BELOW_ONE = 1 - np.finfo(float).epsneg
HISTORY = "epoch", "loss", "learning_rate", "seconds", "validation_loss", "validation_score"


class NumpyMLPClassifier(CallbackSupportMixin, ClassifierMixin, BaseEstimator):
    """Dense neural-network classifier, trained by backpropagation written in NumPy.

    A drop-in for `sklearn.neural_network.MLPClassifier`: same parameters, attributes and methods,
    and more of each. Its defaults are another matter. With ``max_iter='auto'`` and a first-order
    solver, `fit` follows a recipe that was chosen by measurement; where `max_iter` is a number, in
    `partial_fit`, and with 'lbfgs', each parameter left at 'auto' has scikit-learn's value:

    ==================  ==========================  ===============
    'auto' means        in the recipe               else
    ==================  ==========================  ===============
    hidden_layer_sizes  (256, 256)                  (100,)
    activation          'gelu'                      'relu'
    batch_size          128, at most n_samples      200, likewise
    learning_rate       'one_cycle'                 'constant'
    learning_rate_init  0.005                       0.001
    first_layer_factor  sqrt(50 / spread), but      1
                        1 to 16
    beta_2              0.98                        0.999
    dropout             0.1; 0 below 100 rows       0
    label_smoothing     0.1                         0
    weight_decay        0.1                         0
    n_iter_no_change    np.inf                      10
    max_iter            2200 steps, but 30 to 400   200 iterations
                        epochs, or fewer
    ==================  ==========================  ===============

    The spread is the sum of the features' variances, n_features behind a StandardScaler; sparse X
    has the factor 1.

    From 100 rows on, without `early_stopping` and validation data, the recipe first holds out a
    fifth of the rows, but at most 5000. If the loss on them turns up, it starts again, with all
    rows, for 1.5 times the epochs it took to the minimum; if not, it goes on with all rows for a
    quarter of the epochs and at half the learning rate.

    Parameters
    ----------
    hidden_layer_sizes : int, sequence of int or 'auto', default='auto'
        Units of each hidden layer; ``()`` is (multinomial) logistic regression.
    activation : {'identity', 'logistic', 'tanh', 'relu', 'leaky_relu', 'elu', 'selu', 'silu', \
            'gelu', 'auto'}, default='auto'
        Non-linearity of the hidden layers.
    solver : {'lbfgs', 'sgd', 'adam'}, default='adam'
        Optimizer: L-BFGS on all rows at once, or first-order steps on minibatches.
    alpha : float, default=1e-4
        L2 penalty: ``0.5 * alpha * sum(W**2) / (sum of the minibatch's weights)`` is added to the
        loss. Biases are not penalised.
    batch_size : int or 'auto', default='auto'
        Rows of a minibatch. Not used by 'lbfgs'.
    learning_rate : {'constant', 'invscaling', 'adaptive', 'linear', 'cosine', 'one_cycle', \
            'auto'}, default='auto'
        How the learning rate goes on from `learning_rate_init`, with 'sgd' and 'adam' alike:
        not at all; divided by ``(1 + samples seen) ** power_t`` from epoch to epoch; divided by 5
        whenever the stopping rule would end training, until it is below 1e-6; or down to 0 at the
        end of `max_iter` epochs, in a straight line, along a cosine, or along a cosine after a
        warm-up in the first tenth. See `partial_fit` for what they do there.
    learning_rate_init : float or 'auto', default='auto'
        Learning rate of the first step, and the peak of 'one_cycle'.
    power_t : float, default=0.5
        Exponent of 'invscaling'.
    max_iter : int or 'auto', default='auto'
        Most epochs of a call of `fit`; for 'lbfgs' most iterations.
    shuffle : bool, default=True
        Whether each epoch takes the rows in a new random order.
    random_state : int, RandomState or None, default=None
        One stream for initialisation, validation split, shuffling and dropout; an int makes
        results repeatable.
    tol : float, default=1e-4
        The least change of the loss or validation score that counts as an improvement; for 'lbfgs'
        the largest component of the gradient at which it has converged.
    verbose : bool or int, default=False
        Whether to print the loss, validation loss and score, and seconds of each epoch.
    warm_start : bool, default=False
        Whether `fit` goes on from the parameters, the optimizer's memory and the random stream of
        the last call.
    momentum : float, default=0.9
        Momentum of 'sgd'; 0 is plain gradient descent.
    nesterovs_momentum : bool, default=True
        Whether 'sgd' uses Nesterov's form of momentum.
    early_stopping : bool, default=False
        Whether to watch the score of validation rows instead of the training loss, and to keep the
        parameters of the best epoch. The rows are `X_val` of `fit`, or else a part of X.
    validation_fraction : float, default=0.1
        The part of X that `early_stopping` holds out, stratified if every class allows it. Equal
        rows are one row: all held out or none. They count by `sample_weight` and `class_weight`.
    beta_1 : float, default=0.9
        Decay of the first moments of 'adam'.
    beta_2 : float or 'auto', default='auto'
        Decay of the second moments of 'adam'.
    epsilon : float, default=1e-8
        Added to the root of the second moment of 'adam'.
    n_iter_no_change : int, np.inf or 'auto', default='auto'
        Stop after so many epochs in a row without an improvement of `tol`.
    max_fun : int, default=15000
        Most evaluations of the loss by 'lbfgs'.
    class_weight : dict, 'balanced' or None, default=None
        What each class counts, ``{label: weight}`` with 1 where a label is missing; 'balanced'
        gives all classes the same sum of weights (in `partial_fit`: by all rows seen so far). It
        multiplies `sample_weight`. For multilabel targets the classes of each label are 0 and 1.
    dropout : float, sequence of float or 'auto', default='auto'
        Probability with which a unit is left out in a training step, for all hidden layers or one
        for each.
    label_smoothing : float or 'auto', default='auto'
        The part of each target that is spread over all classes alike. Predicted probabilities are
        those of the targets before smoothing.
    first_layer_factor : float or 'auto', default='auto'
        Factor on the learning rate of the first layer's weights, for few or small features move
        its units too little. Not used by 'lbfgs'.
    weight_decay : float or 'auto', default='auto'
        Decoupled weight decay, as in AdamW: before each step the weights, not the biases, shrink
        by the factor ``1 - learning_rate * weight_decay``.
    scoring : str or callable, default='accuracy'
        What `early_stopping` watches: 'accuracy', 'loss' (the validation loss), any scorer's name,
        or ``scorer(estimator, X, y)``.
    max_time : float or None, default=None
        Stop at the end of the first epoch after so many seconds.
    dtype : {'auto', 'float32', 'float64'}, default='auto'
        Of the parameters and of the arithmetic. 'auto' is float64 for 'lbfgs', else float32; but
        float64 in a `fit` on fewer than 100 rows, which costs nothing there and keeps a row of
        weight 2 equal to two rows.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels; for multilabel targets 0 .. n_labels - 1.
    params_ : ndarray of shape (n_parameters,)
        All weights, then all biases.
    coefs_ : list of ndarray of shape (fan_in, fan_out)
        Weights of each layer: views of `params_`.
    intercepts_ : list of ndarray of shape (fan_out,)
        Biases of each layer: views of `params_`.
    n_layers_ : int
        Hidden layers + 2.
    n_outputs_ : int
        Outputs of the network: 1 for two classes, else n_classes or n_labels.
    out_activation_ : {'softmax', 'logistic'}
        Softmax for three or more classes, logistic for two classes and multilabel targets.
    n_iter_ : int
        Epochs of the last call of `fit`, plus one for each `partial_fit` since.
    t_ : int
        Samples seen since the parameters were initialised.
    loss_ : float
        Loss of the last epoch: the mean over its minibatches, penalty included.
    loss_curve_ : list of float
        Loss of each epoch since the parameters were initialised.
    best_loss_ : float or None
        The smallest of `loss_curve_`; None with `early_stopping`.
    validation_scores_ : list of float or None
        Score of the validation rows after each epoch that had some.
    best_validation_score_ : float or None
        The best of them in the last call of `fit`.
    history_ : dict of lists
        'epoch' (from 1), 'loss', 'learning_rate' (at the epoch's last step), 'seconds',
        'validation_loss' and 'validation_score', a value for each epoch since the parameters were
        initialised, nan where it is not known. The validation loss is without penalty and
        smoothing.
    n_features_in_ : int
        Features seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where X had some that are all strings.

    Notes
    -----
    A call that fails leaves the estimator as it was. If training is interrupted, or diverges after
    at least one good epoch, the estimator stands as after the last good epoch.

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
    >>> model.fit(X_train, y_train).score(X_test, y_test) > 0.96
    True
    """

    def __init__(
        self,
        hidden_layer_sizes="auto",
        activation="auto",
        *,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="auto",
        learning_rate_init="auto",
        power_t=0.5,
        max_iter="auto",
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2="auto",
        epsilon=1e-8,
        n_iter_no_change="auto",
        max_fun=15000,
        class_weight=None,
        dropout="auto",
        label_smoothing="auto",
        first_layer_factor="auto",
        weight_decay="auto",
        scoring="accuracy",
        max_time=None,
        dtype="auto",
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
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
        self.first_layer_factor = first_layer_factor
        self.weight_decay = weight_decay
        self.scoring = scoring
        self.max_time = max_time
        self.dtype = dtype

    @with_callbacks
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Train on X and y until the loss stops improving, at most `max_iter` epochs.

        Parameters
        ----------
        X : {array-like, CSR or CSC} of shape (n_samples, n_features)
            Training data: finite numbers of any dtype. Scale them first; it matters.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Class labels of any type, or a multilabel indicator of 0 and 1.
        sample_weight : array-like of shape (n_samples,), default=None
            What each row counts, >= 0. A row of weight 2 counts as two rows.
        X_val : {array-like, CSR or CSC} of shape (n_val, n_features), default=None
            Validation data: their loss and score go into `history_`, and with `early_stopping`
            they are what it watches, in place of a part of X. In a Pipeline, name it in
            ``transform_input`` to have it transformed as X is.
        y_val : array-like of shape (n_val,) or (n_val, n_labels), default=None
            Their labels.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : NumpyMLPClassifier
            The estimator itself, trained.

        Raises
        ------
        ValueError
            For a parameter, X, y or weights out of bounds, or if the loss stops being finite.
        """
        check_parameters(self)
        going_on = self.warm_start and self.__sklearn_is_fitted__()
        known = None if isinstance(self.max_iter, str) else self.max_iter
        task = FitTask(self, known, {"X": X, "y": y, "metadata": {}})
        model = copy(self)
        data = model._read(X, y, sample_weight, first=not going_on, whole=True)
        held_out = model._read_held_out(X_val, y_val, sample_weight_val)
        settings = settle(self, data)
        model.n_iter_, reason = 0, None
        model._smoothing = float(settings.label_smoothing)
        if not going_on:
            double = data.n < FEW_ROWS or self.solver == "lbfgs"
            model._initialize(settings, "float64" if double else "float32")
        watched = going_on or self.early_stopping or held_out is not None
        try:
            if is_recipe(self) and not watched and len(data.counting) >= FEW_ROWS:
                model, reason = scout(model, data, settings, task)
            reason = reason or Descent(model, data, settings, held_out).run(task)
        finally:
            if model.n_iter_ > 0:
                if not self.warm_start:
                    model._solver_state, model._random_state = {}, None
                self.__dict__ = vars(model)
        task.end(lambda: vars(self))
        if reason is None and settings.learning_rate not in BUDGETED:
            warnings.warn(
                f"The loss was still improving after max_iter={settings.max_iter} epochs. Raise "
                "max_iter, or tol, if more is wanted.",
                ConvergenceWarning,
                stacklevel=3,
            )
        return self

    @available_if(lambda self: self.solver != "lbfgs")
    def partial_fit(self, X, y, sample_weight=None, *, classes=None):
        """Train one epoch more; the first call starts a new network.

        Parameters, the optimizer's memory and the random stream go on from call to call, also
        through a pickle. The parameters of the constructor may change in between, but for the
        architecture. Schedules with an end ('linear', 'cosine', 'one_cycle') and 'adaptive' keep
        the learning rate constant here; 'invscaling' goes on with the samples seen.

        Parameters
        ----------
        X : {array-like, CSR or CSC} of shape (n_samples, n_features)
            A piece of the data.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Its labels; not every class need occur.
        sample_weight : array-like of shape (n_samples,), default=None
            What each row counts beside the others of this call.
        classes : array-like of shape (n_classes,), default=None
            All classes that will ever occur; needed in the first call only.

        Returns
        -------
        self : NumpyMLPClassifier
            The estimator itself, trained.

        Raises
        ------
        ValueError
            As `fit`, for labels that are not among the classes, and with `early_stopping`.
        """
        check_parameters(self)
        if self.early_stopping:
            raise ValueError(
                "partial_fit does not support early_stopping=True: it sees no validation data. "
                "Set early_stopping=False, and score held-out rows between calls."
            )
        first = not self.__sklearn_is_fitted__()
        if first and classes is None:
            raise ValueError("classes must be given in the first call of partial_fit.")
        model = copy(self)
        data = model._read(X, y, sample_weight, classes, first=first)
        settings = settle(self)
        if first:
            model._initialize(settings, "float32")
            model.n_iter_ = 0
        elif self.label_smoothing == "auto":
            settings.label_smoothing = self._smoothing
        model._smoothing = float(settings.label_smoothing)
        Descent(model, data, settings).run_one_pass()
        self.__dict__ = vars(model)
        return self

    def predict(self, X):
        """Return the most probable class of each row, or 0 / 1 for each label.

        Parameters
        ----------
        X : {array-like, CSR or CSC} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            Labels from `classes_`, or a multilabel indicator.
        """
        check_is_fitted(self)
        codes = self._per_block(X, LOSSES[self.out_activation_].decide)
        return codes if self._is_multilabel() else self.classes_[codes.ravel()]

    def predict_proba(self, X):
        """Return the probability of each class, or of each label.

        Parameters
        ----------
        X : {array-like, CSR or CSC} of shape (n_samples, n_features)

        Returns
        -------
        proba : ndarray of float64 of shape (n_samples, n_classes)
            Columns as in `classes_`, all above 0 and below 1. Rows sum to 1, but for multilabel
            targets.
        """
        proba = self.predict_log_proba(X)
        np.exp(proba, out=proba)
        return np.minimum(proba, BELOW_ONE, out=proba)

    def predict_log_proba(self, X):
        """Return the log-probabilities: of the logits, not of rounded probabilities; at least -708.

        Parameters
        ----------
        X : {array-like, CSR or CSC} of shape (n_samples, n_features)

        Returns
        -------
        log_proba : ndarray of float64 of shape (n_samples, n_classes)
            Columns as in `classes_`.
        """
        check_is_fitted(self)
        two_classes = not self._is_multilabel() and self.out_activation_ == "logistic"
        log_proba = LOSSES[self.out_activation_](self._smoothing).log_proba

        def link(logits):
            logits = logits.astype(np.float64)
            logs = log_proba(np.hstack([-logits, logits]) if two_classes else logits)
            return np.maximum(logs, LEAST_LOG, out=logs)

        return self._per_block(X, link)

    def _per_block(self, X, link):
        X = validate_data(self, X, accept_sparse="csr", reset=False)
        return forward_in_blocks(X, self.params_, self._sizes, ACTIVATIONS[self._activation], link)

    @property
    def coefs_(self):
        """Weights of each layer, (fan_in, fan_out): views of `params_`."""
        return views(self.params_, self._sizes)[0]

    @property
    def intercepts_(self):
        """Biases of each layer, (fan_out,): views of `params_`."""
        return views(self.params_, self._sizes)[1]

    def __sklearn_is_fitted__(self):
        return "params_" in vars(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_label = True
        return tags

    def __getstate__(self):
        return {**super().__getstate__(), "_version": __version__}

    def __setstate__(self, state):
        saved = state.pop("_version", "unknown")
        if saved != __version__:
            warnings.warn(
                f"This {type(self).__name__} was saved by sknumpynet {saved}, and this is "
                f"{__version__}: it may not behave as it did. Train it anew, or install {saved}.",
                stacklevel=2,
            )
        super().__setstate__(state)

    def _is_multilabel(self):
        return self.out_activation_ == "logistic" and self.n_outputs_ > 1

    def _read(self, X, y, sample_weight, classes=None, *, first, whole=False):
        """Return the validated data; the `first` time, set what they determine.

        `whole` data must have every class.
        """
        X, y = validate_data(self, X, plain(y), accept_sparse="csr", multi_output=True, reset=first)
        y = check_targets(y)
        if first:
            self.classes_ = find_classes(y, classes)
            one_output = len(self.classes_) == 2 and y.ndim == 1
            self.out_activation_ = "logistic" if y.ndim == 2 or one_output else "softmax"
            self.n_outputs_ = 1 if one_output else len(self.classes_)
        else:
            self._check_goes_on(y, classes)
            labels = self.classes_ if y.ndim == 2 else np.unique(y)
            if whole and set(labels.tolist()) != set(self.classes_.tolist()):
                raise ValueError(
                    "warm_start can only be used where `y` has the same classes as in the previous "
                    f"call to fit. Previously got {self.classes_}, `y` has {labels}."
                )
        return Data(X, y, self._encode(y, "y"), check_weight(sample_weight, X.shape[0]))

    def _encode(self, y, name):
        """Return the codes that the loss wants: integers (n,) for softmax, 0 / 1 (n, k) else."""
        codes = y if y.ndim == 2 else encode(y, self.classes_, name)
        if self.out_activation_ == "softmax":
            return codes
        return codes.astype(np.uint8).reshape(len(y), -1)

    def _read_held_out(self, X_val, y_val, sample_weight_val):
        """Return the validation data, or None where none are given."""
        if X_val is None and y_val is None and sample_weight_val is None:
            return None
        if X_val is None or y_val is None:
            missing = "X_val" if X_val is None else "y_val"
            raise ValueError(f"{missing} is missing: X_val and y_val must be given together.")
        try:
            X = validate_data(self, X_val, accept_sparse="csr", reset=False)
        except ValueError as error:
            raise ValueError(f"X_val is not accepted: {error}") from error
        y = check_targets(
            check_array(plain(y_val), dtype=None, ensure_2d=False, input_name="y_val")
        )
        if len(y) != X.shape[0] or y.ndim != 1 + self._is_multilabel():
            raise ValueError(
                f"y_val of shape {y.shape} is not accepted: it must be for the {X.shape[0]} rows "
                "of X_val what y is for X."
            )
        weight = check_weight(sample_weight_val, X.shape[0], "sample_weight_val")
        return HeldOut(Data(X, y, self._encode(y, "y_val"), weight), self.scoring)

    def _check_goes_on(self, y, classes):
        """Raise if labels or architecture are not those of the network that is to go on."""
        multilabel = y.ndim == 2
        if multilabel != self._is_multilabel() or (multilabel and y.shape[1] != self.n_outputs_):
            raise ValueError(
                f"y of shape {y.shape} does not go on with a network of out_activation_="
                f"{self.out_activation_!r} and {self.n_outputs_} outputs: start a new estimator."
            )
        if classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(
                f"classes={classes!r} differs from the first call's {self.classes_!r}: leave it "
                "out, or start a new estimator."
            )
        hidden = self.hidden_layer_sizes
        same_sizes = isinstance(hidden, str) or self._sizes[1:-1] == list(np.ravel(hidden))
        if not same_sizes or self.activation not in ("auto", self._activation):
            raise ValueError(
                f"hidden_layer_sizes={self.hidden_layer_sizes!r}, activation={self.activation!r} "
                f"differ from the network's layers {self._sizes}, {self._activation!r}: restore "
                "them, or start a new estimator."
            )

    def _initialize(self, settings, auto):
        """Set fresh parameters and an empty record; `auto` is what dtype='auto' means here."""
        hidden = [int(size) for size in np.ravel(settings.hidden_layer_sizes)]
        self._sizes = [self.n_features_in_, *hidden, self.n_outputs_]
        self._activation = settings.activation
        self.n_layers_ = len(self._sizes)
        self._random_state = check_random_state(self.random_state)
        gain = ACTIVATIONS[self._activation].gain
        dtype = auto if self.dtype == "auto" else self.dtype
        self.params_ = initialize(self._sizes, gain, self._random_state, dtype)
        self._solver_state = {}
        self.t_ = 0
        self.loss_curve_, self.best_loss_ = [], None
        self.validation_scores_ = self.best_validation_score_ = None
        self.history_ = {column: [] for column in HISTORY}
