"""Class labels as targets: the questions of `targets`, answered for a classifier."""

from dataclasses import dataclass, replace
from math import inf

import numpy as np
from scipy.sparse import issparse
from scipy.special import entr
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from sknumpynet.core.losses import LOSSES
from sknumpynet.data.labels import read_labels
from sknumpynet.data.rows import without_vanishing


@dataclass
class ClassTargets:
    """Class labels, or a multilabel indicator.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The sorted labels; 0 .. n_labels - 1 for a multilabel indicator.
    multilabel : bool
    sums : ndarray of shape (n_columns, n_classes) or None
        Sum of weights of each class in each column of the encoded y, of all that was trained on.
    """

    classes: np.ndarray
    multilabel: bool
    sums: np.ndarray | None = None

    score_name = "accuracy"
    are_classes, calibration = True, "temperature"
    constant_prediction = "the class frequencies"

    @staticmethod
    def read(y, name="y"):
        """Return y as 1-D class labels, or as a dense 2-D multilabel indicator of 0 and 1.

        Raises
        ------
        ValueError
            If it is neither, or labels are missing.
        """
        y = read_labels(y, name)
        y = y.toarray() if issparse(y) else y
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if y.ndim == 1:
            check_classification_targets(y)
            return y
        indicator = type_of_target(y, input_name=name) == "multilabel-indicator"
        if not indicator or not np.isin(y, (0, 1)).all():
            values = f" with values {np.unique(y)[:5]}" if indicator else ""
            raise ValueError(
                f"{name} of shape {y.shape}{values} is not accepted: it must be 1-D class labels "
                "or a 2-D multilabel indicator of 0 and 1."
            )
        return y

    @classmethod
    def of(cls, y, classes=None):
        """Return the targets of y's labels, or of those that `classes` announces.

        Raises
        ------
        ValueError
            If `classes` are no labels, or not one for each column of a multilabel y.
        """
        announced = None if classes is None else read_labels(classes, "classes")
        if announced is not None and (announced.ndim != 1 or len(announced) == 0):
            raise ValueError(
                f"classes of shape {announced.shape} is not accepted: it must be a list or 1-D "
                "array of all labels."
            )
        if y.ndim == 1:
            return cls(np.unique(y if announced is None else announced), False)
        n_announced = y.shape[1] if announced is None else len(np.unique(announced))
        if n_announced != y.shape[1]:
            raise ValueError(f"classes has {n_announced} labels, but y has {y.shape[1]} columns.")
        return cls(np.arange(y.shape[1]), True)

    @classmethod
    def of_fitted(cls, attributes):
        """Return the targets that a dict of fitted attributes describes."""
        multilabel = attributes["out_activation_"] == "logistic" and attributes["n_outputs_"] > 1
        sums = attributes.get("_resume", {}).get("class_sums")
        return cls(attributes["classes_"], multilabel, sums)

    @classmethod
    def union(cls, all_targets):
        """Return the targets that have the classes of several ones."""
        classes = np.unique(np.concatenate([targets.classes for targets in all_targets]))
        return cls(classes, all_targets[0].multilabel)

    @property
    def announced(self):
        """What a network has to be told before it is trained on a part of y."""
        return self.classes

    @property
    def example(self):
        """A y that has these targets."""
        return np.empty((0, len(self.classes))) if self.multilabel else self.classes

    @classmethod
    def together(cls, before, after):
        """Return the targets of networks that were trained side by side, with all their sums.

        Parameters
        ----------
        before : ClassTargets or None
            Of the network from which all started, if it was trained.
        after : list of ClassTargets
        """
        sums = sum(targets.sums for targets in after)
        if before is not None:
            sums = sums - (len(after) - 1) * before.sums
        return replace(after[0], sums=sums)

    @property
    def n_outputs(self):
        return 1 if len(self.classes) == 2 and not self.multilabel else len(self.classes)

    @property
    def loss(self):
        """Name of the loss, and of the output activation."""
        return "logistic" if self.multilabel or len(self.classes) == 2 else "softmax"

    def attributes(self):
        """Return the fitted attributes that say what y is."""
        return {
            "classes_": self.classes,
            "n_outputs_": self.n_outputs,
            "out_activation_": self.loss,
            "_resume": {"class_sums": self.sums},
        }

    def identity(self):
        """Return what has to be the same when training goes on, besides the encoded y."""
        return {"classes": self.classes.tolist()}

    def fits(self, y):
        """Tell whether labels of this shape are encoded: 1-D, or one column for each label."""
        return y.shape[1:] == (len(self.classes),) if self.multilabel else y.ndim == 1

    def check_continues(self, y, classes, complete):
        """Raise if a network with these targets cannot be trained further on y.

        Parameters
        ----------
        y : ndarray
            As `read` returns it.
        classes : array-like or None
            As announced by the user.
        complete : bool
            Whether y is all that is trained on, so that each class has to occur.
        """
        if not self.fits(y):
            raise ValueError(
                f"y of shape {y.shape} does not match the network of out_activation_="
                f"{self.loss!r} and {self.n_outputs} outputs: start a new estimator."
            )
        if classes is not None and not np.array_equal(self.of(y, classes).classes, self.classes):
            raise ValueError(
                f"classes={classes!r} differs from the first call's {self.classes!r}: leave it "
                "out, or start a new estimator."
            )
        labels = self.classes if self.multilabel else np.unique(y)
        if complete and set(labels.tolist()) != set(self.classes.tolist()):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {self.classes}, `y` has {labels}."
            )

    def encode(self, y, name="y"):
        """Return y as the loss sees it; errors call it by its `name`.

        Returns
        -------
        encoded : ndarray
            For the loss 'softmax' the position of each row's class, (n,); else 0 and 1, (n, k).

        Raises
        ------
        ValueError
            If a label is not among the classes.
        """
        if self.multilabel:
            return y.astype(np.uint8)
        unseen = set(np.unique(y).tolist()) - set(self.classes.tolist())
        if unseen:
            raise ValueError(
                f"{name} has labels that are not among the classes: {sorted(unseen)}. The classes "
                f"are {self.classes}; all must be given in the first call."
            )
        codes = np.searchsorted(self.classes, y.astype(self.classes.dtype))
        return codes if self.loss == "softmax" else codes.astype(np.uint8)[:, None]

    def decode(self, encoded):
        """Return the labels of predictions in the form that the loss sees."""
        return encoded if self.multilabel else self.classes[encoded.ravel()]

    def make_loss(self, settings, temperature=1.0):
        """Return the loss of the network.

        Parameters
        ----------
        settings : dict
            The fitted ``settings_``.
        temperature : float, default=1.0
            Of the predicted probabilities.
        """
        return LOSSES[self.loss](settings["label_smoothing"], temperature)

    def strata(self, encoded):
        """Return the position of each row's class, (n,); None for multilabel targets."""
        return None if self.multilabel else encoded.ravel()

    @np.errstate(over="ignore")  # `weigh` refuses what becomes of an infinite sum
    def count(self, encoded, weight, *, anew):
        """Return the targets with the sums of weights of these rows, or with them added.

        Parameters
        ----------
        encoded : ndarray of shape (n,) or (n, n_columns)
        weight : ndarray of shape (n, 1) or None
        anew : bool
            Whether to forget the sums so far.
        """
        n_classes = 2 if self.multilabel else len(self.classes)
        weight = None if weight is None else weight[:, 0]
        columns = encoded.reshape(len(encoded), -1).T
        sums = np.stack([np.bincount(c, weight, n_classes) for c in columns]).astype(float)
        return replace(self, sums=sums if anew else self.sums + sums)

    def class_weights(self, class_weight):
        """Return the weight of each class, in each column of the targets, (n_columns, n_classes).

        Parameters
        ----------
        class_weight : 'balanced' or dict
            A dict from label to weight, 1 where a label is missing; 'balanced' gives the classes
            that occur in a column the same sum of weights, and keeps the column's total.

        Raises
        ------
        ValueError
            If a key of `class_weight` is no label, or not among the classes.
        """
        sums = self.sums
        if isinstance(class_weight, str):
            mean = sums.sum(axis=1, keepdims=True) / (sums > 0).sum(axis=1, keepdims=True)
            return mean / np.where(sums > 0, sums, mean)
        labels = [0, 1] if self.multilabel else self.classes.tolist()
        read_labels(list(class_weight), "class_weight")
        unknown = set(class_weight) - set(labels)
        if unknown:
            raise ValueError(
                f"class_weight has labels that are not among the classes: {unknown}. The classes "
                f"are {labels}."
            )
        weights = [class_weight.get(label, 1.0) for label in labels]
        return np.broadcast_to(np.array(weights, float), sums.shape)

    @np.errstate(all="ignore")
    def weigh(self, encoded, weight, class_weight, name="sample_weight"):
        """Return sample weights times class weights, (n, n_columns).

        Raises
        ------
        ValueError
            If they are all 0, or their sum is too large for float64.
        """
        if class_weight is None:
            return weight
        columns = np.arange(len(self.sums))
        of_rows = self.class_weights(class_weight)[columns, encoded.reshape(len(encoded), -1)]
        combined = of_rows if weight is None else of_rows * weight
        total = combined.sum()
        if not 0 < total < inf:
            raise ValueError(f"class_weight times {name} adds up to {total}: change them.")
        return without_vanishing(combined)

    def score(self, loss, outputs, encoded, weight=None):
        """Return the accuracy: the fraction of rows, by weight, whose labels are all predicted."""
        right = (loss.predict(outputs) == encoded).reshape(len(encoded), -1).all(axis=1)
        return float(np.average(right, weights=weight))

    def constant_losses(self, encoded, weight, held_out):
        """Return the log-loss of each held-out row for the class frequencies of other rows, (n,).

        Parameters
        ----------
        encoded, held_out : ndarray
            The other rows' y as the loss sees it, and that of those held out.
        weight : ndarray of shape (n, 1) or (n, n_columns), or None
            Weights of the other rows.
        """
        columns, answers = (c.reshape(len(c), -1).T for c in (encoded, held_out))
        weights = [None] * len(columns)
        if weight is not None:
            weights = np.broadcast_to((weight / weight.max()).T, columns.shape)
        losses = np.zeros(len(held_out))
        for column, of_rows, answer in zip(columns, weights, answers, strict=True):
            sums = np.bincount(column, of_rows, minlength=answer.max() + 1)
            losses -= np.log(np.maximum(sums / sums.sum(), np.finfo(float).tiny))[answer]
        return losses

    def chance(self):
        """Return the loss of predicting the class frequencies of all that was trained on."""
        return float(np.sum(entr(self.sums / self.sums.sum(axis=1, keepdims=True))))
