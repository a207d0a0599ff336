"""The scikit-learn face: validate, encode labels, assemble the parts, keep the record."""

import warnings
from copy import copy, deepcopy
from dataclasses import fields
from itertools import islice
from math import inf, isfinite
from time import perf_counter

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from sknumpynet.activations import ACTIVATIONS
from sknumpynet.batches import Minibatches
from sknumpynet.losses import LOSSES
from sknumpynet.network import Backprop, forward, initialize, views
from sknumpynet.optimizers import OPTIMIZERS
from sknumpynet.parameters import check_parameters
from sknumpynet.schedules import SCHEDULES
from sknumpynet.targets import (
    check_targets,
    check_weight,
    class_masses,
    class_weighted,
    encode,
    find_classes,
    weigh_classes,
)
from sknumpynet.training import Patience, epochs

# Below so many training rows, dtype="auto" means float64: speed is of no account there, and the
# result no longer shows in what order the rows were summed.
FEW_ROWS = 100
# Numbers that the widest layer may hold while predicting; more rows are worked off in blocks.
BLOCK = 2**20


class NumpyMLPClassifier(ClassifierMixin, BaseEstimator):
    """Dense neural-network classifier, trained by backpropagation written in NumPy.

    A drop-in for `sklearn.neural_network.MLPClassifier`: same parameters, attributes and methods.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Units of each hidden layer; ``()`` is (multinomial) logistic regression.
    activation : {'identity', 'logistic', 'tanh', 'relu'}, default='relu'
        Non-linearity of the hidden layers.
    solver : {'sgd', 'adam'}, default='adam'
        First-order optimizer.
    alpha : float, default=1e-4
        L2 penalty: ``0.5 * alpha * sum(W**2) / (sum of the minibatch's weights)`` is added to the
        loss. Biases are not penalised.
    batch_size : int or 'auto', default='auto'
        Rows of a minibatch; 'auto' is ``min(200, n_samples)``.
    learning_rate : {'constant', 'invscaling'}, default='constant'
        How the learning rate goes on from `learning_rate_init`: not at all, or divided by
        ``(1 + samples seen) ** power_t`` from epoch to epoch. It works with every solver.
    learning_rate_init : float, default=0.001
        Learning rate of the first step.
    power_t : float, default=0.5
        Exponent of 'invscaling'.
    max_iter : int, default=200
        Most epochs of a call of `fit`.
    shuffle : bool, default=True
        Whether each epoch takes the rows in a new random order.
    random_state : int, RandomState or None, default=None
        One stream for initialisation and shuffling; an int makes results repeatable.
    tol : float, default=1e-4
        The least change of the loss that counts as an improvement.
    verbose : bool or int, default=False
        Whether to print the loss of each epoch.
    warm_start : bool, default=False
        Whether `fit` goes on from the parameters and the optimizer's memory of the last call.
    momentum : float, default=0.9
        Momentum of 'sgd'; 0 is plain gradient descent.
    nesterovs_momentum : bool, default=True
        Whether 'sgd' uses Nesterov's form of momentum.
    early_stopping : bool, default=False
        Not supported yet.
    validation_fraction : float, default=0.1
        Used by `early_stopping` only.
    beta_1, beta_2 : float, default=0.9, 0.999
        Decay of the first and second moments of 'adam'.
    epsilon : float, default=1e-8
        Added to the root of the second moment of 'adam'.
    n_iter_no_change : int or np.inf, default=10
        Stop after so many epochs in a row whose loss did not improve by `tol`.
    max_fun : int, default=15000
        Used by the solver 'lbfgs' only.
    class_weight : dict, 'balanced' or None, default=None
        What each class counts, ``{label: weight}`` with 1 where a label is missing; 'balanced'
        gives all classes the same sum of weights (in `partial_fit`: by all rows seen so far). It
        multiplies `sample_weight`. For multilabel targets the classes of each label are 0 and 1.
    dropout, label_smoothing, weight_decay, scoring, max_time
        Not supported yet; the defaults change nothing.
    dtype : {'auto', 'float32', 'float64'}, default='auto'
        Of the parameters and of the arithmetic. 'auto' is float32, but float64 in a `fit` on fewer
        than 100 rows, which costs nothing there and keeps a row of weight 2 equal to two rows.

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
    best_loss_ : float
        The smallest of `loss_curve_`.
    history_ : dict of lists
        'epoch' (from 1), 'loss', 'learning_rate' (at the epoch's last step) and 'seconds' (of the
        epoch), a value for each epoch since the parameters were initialised.
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
    >>> mlp = NumpyMLPClassifier(learning_rate_init=0.01, random_state=0)
    >>> model = make_pipeline(MinMaxScaler(), mlp)
    >>> model.fit(X_train, y_train).score(X_test, y_test) > 0.96
    True
    """

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        max_iter=200,
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
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        class_weight=None,
        dropout=0.0,
        label_smoothing=0.0,
        weight_decay=0.0,
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
        self.weight_decay = weight_decay
        self.scoring = scoring
        self.max_time = max_time
        self.dtype = dtype

    def fit(self, X, y, sample_weight=None):
        """Train on X and y until the loss stops improving, at most `max_iter` epochs.

        Parameters
        ----------
        X : {array-like, CSR or CSC} of shape (n_samples, n_features)
            Training data: finite numbers of any dtype. Scale them first; it matters.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Class labels of any type, or a multilabel indicator of 0 and 1.
        sample_weight : array-like of shape (n_samples,), default=None
            What each row counts, >= 0. A row of weight 2 counts as two rows.

        Returns
        -------
        self : NumpyMLPClassifier

        Raises
        ------
        ValueError
            For a parameter, X, y or weights out of bounds, or if the loss stops being finite.
        """
        check_parameters(self)
        going_on = self.warm_start and self.__sklearn_is_fitted__()
        model = copy(self)
        X, y, weight = model._read(X, y, sample_weight, first=not going_on)
        if not going_on:
            model._initialize("float64" if len(y) < FEW_ROWS else "float32")
        model.n_iter_ = 0
        patience = Patience(self.tol, self.n_iter_no_change)
        try:
            for loss in islice(model._epochs(X, y, weight), self.max_iter):
                if patience.exhausted(loss):
                    break
            else:
                warnings.warn(
                    f"The loss was still improving after max_iter={self.max_iter} epochs. Raise "
                    "max_iter, or tol, if more is wanted.",
                    ConvergenceWarning,
                    stacklevel=2,
                )
        finally:
            if model.n_iter_ > 0:
                if not self.warm_start:
                    model._solver_state, model._random_state = {}, None
                self.__dict__ = vars(model)
        return self

    @available_if(lambda self: self.solver != "lbfgs")
    def partial_fit(self, X, y, sample_weight=None, *, classes=None):
        """Train one epoch more; the first call starts a new network.

        Parameters, the optimizer's memory and the random stream go on from call to call, also
        through a pickle. The parameters of the constructor may change in between, but for the
        architecture.

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

        Raises
        ------
        ValueError
            As `fit`, and for labels that are not among the classes.
        """
        check_parameters(self)
        first = not self.__sklearn_is_fitted__()
        if first and classes is None:
            raise ValueError("classes must be given in the first call of partial_fit.")
        model = copy(self)
        masses = vars(self).get("_class_masses", 0.0)
        X, y, weight = model._read(X, y, sample_weight, classes, masses, first=first)
        if first:
            model._initialize("float32")
            model.n_iter_ = 0
        next(model._epochs(X, y, weight))
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
        """
        if self._is_multilabel():
            return self._per_block(X, lambda logits: (logits > 0).astype(int))
        if self.out_activation_ == "logistic":
            codes = self._per_block(X, lambda logits: (logits[:, 0] > 0).astype(int))
        else:
            codes = self._per_block(X, lambda logits: logits.argmax(axis=1))
        return self.classes_[codes]

    def predict_proba(self, X):
        """Return the probability of each class, or of each label.

        Parameters
        ----------
        X : {array-like, CSR or CSC} of shape (n_samples, n_features)

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Columns as in `classes_`. Rows sum to 1, but for multilabel targets.
        """
        proba = self.predict_log_proba(X)
        return np.exp(proba, out=proba)

    def predict_log_proba(self, X):
        """Return the log-probabilities, finite even where the probability rounds to 0.

        Parameters
        ----------
        X : {array-like, CSR or CSC} of shape (n_samples, n_features)

        Returns
        -------
        log_proba : ndarray of shape (n_samples, n_classes)
            Columns as in `classes_`.
        """
        two_classes = not self._is_multilabel() and self.out_activation_ == "logistic"
        log_proba = LOSSES[self.out_activation_].log_proba

        def link(logits):
            return log_proba(np.hstack([-logits, logits]) if two_classes else logits)

        return self._per_block(X, link)

    def _per_block(self, X, link):
        """Return `link` of the logits of X, worked off in blocks of rows to bound the memory."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", reset=False)
        activation = ACTIVATIONS[self._activation]
        n, step = X.shape[0], max(1, BLOCK // max(self._sizes))
        result = None
        for start in range(0, n, step):
            rows = slice(start, start + step)
            block = link(forward(X[rows], self.params_, self._sizes, activation))
            if result is None:
                result = np.empty((n, *block.shape[1:]), block.dtype)
            result[rows] = block
        return result

    @property
    def coefs_(self):
        return views(self.params_, self._sizes)[0]

    @property
    def intercepts_(self):
        return views(self.params_, self._sizes)[1]

    def __sklearn_is_fitted__(self):
        return "params_" in vars(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_label = True
        return tags

    def _is_multilabel(self):
        check_is_fitted(self)
        return self.out_activation_ == "logistic" and self.n_outputs_ > 1

    def _read(self, X, y, sample_weight, classes=None, masses_before=0.0, *, first):
        """Return X, the encoded y and the weights; the `first` time, set what they determine."""
        X, y = validate_data(self, X, y, accept_sparse="csr", multi_output=True, reset=first)
        weight = check_weight(sample_weight, X.shape[0])
        y = check_targets(y)
        multilabel = y.ndim == 2
        if first:
            self.classes_ = find_classes(y, classes)
            one_output = len(self.classes_) == 2 and not multilabel
            self.out_activation_ = "logistic" if multilabel or one_output else "softmax"
            self.n_outputs_ = 1 if one_output else len(self.classes_)
        else:
            self._check_goes_on(y, classes)
        codes = y.astype(np.uint8) if multilabel else encode(y, self.classes_)[:, None]
        if self.class_weight is not None:
            labels = np.arange(2) if multilabel else self.classes_
            self._class_masses = masses_before + class_masses(codes, weight, len(labels))
            per_class = weigh_classes(self.class_weight, labels, self._class_masses)
            weight = class_weighted(codes, weight, per_class)
        if self.out_activation_ == "softmax":
            return X, codes[:, 0], weight
        return X, codes.astype(np.uint8, copy=False), weight

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
        if (self._sizes, self._activation) != (self._layer_sizes(), self.activation):
            raise ValueError(
                f"hidden_layer_sizes={self.hidden_layer_sizes!r}, activation={self.activation!r} "
                f"differ from the network's layers {self._sizes}, {self._activation!r}: restore "
                "them, or start a new estimator."
            )

    def _layer_sizes(self):
        return [
            self.n_features_in_,
            *(int(size) for size in np.ravel(self.hidden_layer_sizes)),
            self.n_outputs_,
        ]

    def _initialize(self, auto):
        """Set fresh parameters and an empty record; `auto` is what dtype='auto' means here."""
        self._sizes, self._activation = self._layer_sizes(), self.activation
        self.n_layers_ = len(self._sizes)
        self._random_state = check_random_state(self.random_state)
        gain = ACTIVATIONS[self.activation].gain
        dtype = auto if self.dtype == "auto" else self.dtype
        self.params_ = initialize(self._sizes, gain, self._random_state, dtype)
        self._solver_state = {}
        self.t_ = 0
        self.loss_curve_, self.best_loss_ = [], inf
        self.history_ = {"epoch": [], "loss": [], "learning_rate": [], "seconds": []}

    def _epochs(self, X, y, weight):
        """Train epoch after epoch; record each good one, yield its loss.

        What changes while an epoch runs is a copy, so `self` always stands as after the last good
        epoch.
        """
        params = np.array(self.params_, None if self.dtype == "auto" else self.dtype)
        optimizer, state = self._optimizer(params)
        n = X.shape[0]
        batch_size = min(200, n) if self.batch_size == "auto" else int(self.batch_size)
        if batch_size > n:
            warnings.warn(f"batch_size={batch_size} is clipped to the {n} samples.", stacklevel=3)
            batch_size = n
        loss = LOSSES[self.out_activation_]
        activation = ACTIVATIONS[self.activation]
        backprop = Backprop(params, self._sizes, activation, loss, self.alpha, batch_size)
        minibatches = Minibatches(X, y, weight, batch_size, params.dtype)
        factor = SCHEDULES[self.learning_rate](float(self.power_t))
        scale = float(self.learning_rate_init)
        rng = self._random_state = (
            check_random_state(self.random_state)
            if self._random_state is None
            else deepcopy(self._random_state)
        )
        passes = epochs(
            backprop,
            minibatches,
            optimizer,
            state,
            lambda t, t_epoch: scale * factor(t, t_epoch),
            rng if self.shuffle else None,
            self.t_,
        )
        while True:
            start = perf_counter()
            self._solver_state = {}  # should this epoch go wrong, its moments are worth nothing
            loss, learning_rate = next(passes)
            if not isfinite(loss):
                raise ValueError(
                    f"The loss is not finite any more in epoch {len(self.loss_curve_) + 1}. Lower "
                    f"learning_rate_init={self.learning_rate_init!r}, and scale X, for instance "
                    "with StandardScaler."
                )
            self._solver_state = state
            self._record(params, n, loss, learning_rate, perf_counter() - start)
            yield loss

    def _optimizer(self, params):
        """Return the optimizer, and a copy of its memory where that goes on, else a fresh one."""
        optimizer_class = OPTIMIZERS[self.solver]
        optimizer = optimizer_class(
            **{f.name: f.type(getattr(self, f.name)) for f in fields(optimizer_class)}
        )
        fresh = optimizer.start(params)
        if self._solver_state.keys() != fresh.keys():
            return optimizer, fresh
        for name, value in self._solver_state.items():
            fresh[name] = np.array(value, params.dtype) if np.ndim(value) else value
        return optimizer, fresh

    def _record(self, params, n, loss, learning_rate, seconds):
        """Keep what a good epoch brought."""
        self.params_ = params.copy()
        self.n_iter_ += 1
        self.t_ += n
        self.loss_ = loss
        self.loss_curve_.append(loss)
        self.best_loss_ = min(self.best_loss_, loss)
        values = len(self.loss_curve_), loss, learning_rate, seconds
        for column, value in zip(self.history_.values(), values, strict=True):
            column.append(value)
        if self.verbose:
            print(f"Iteration {self.n_iter_}, loss = {loss:.8f}")
