"""The fitted attributes of the estimator."""

from math import isfinite

import numpy as np

from sknumpynet.core.activations import ACTIVATIONS
from sknumpynet.core.basis import Basis, folded
from sknumpynet.core.network import Network
from sknumpynet.data.targets import targets_of


class Layers(list):
    """A list of views of `params_`; assigning an item, or all, writes to the parameters.

    The number and the order of the layers are fixed. A copy is a plain list.
    """

    def __setitem__(self, index, values):
        targets = self[index] if isinstance(index, slice) else [self[index]]
        values = list(values) if isinstance(index, slice) else [values]
        if len(values) != len(targets):
            raise ValueError(f"{len(values)} arrays cannot replace those of {len(targets)} layers.")
        # Copied first: a value may be a view of another layer, or not consist of numbers.
        arrays = [np.array(v, target.dtype) for v, target in zip(values, targets, strict=True)]
        for array, target in zip(arrays, targets, strict=True):
            if array.shape != target.shape:
                raise ValueError(
                    f"an array of shape {array.shape} cannot replace a layer's {target.shape}."
                )
        for array, target in zip(arrays, targets, strict=True):
            target[...] = array

    def __reduce_ex__(self, protocol):
        return list, (list(self),)

    def _refuse(self, *args, **kwargs):
        raise TypeError(
            "The layers of a fitted network cannot be added, removed or reordered. Assign an array "
            "to an item, as in coefs_[0] = W, change a copy, list(coefs_), or fit a network with "
            "other hidden_layer_sizes."
        )

    append = extend = insert = pop = remove = clear = sort = reverse = _refuse
    __delitem__ = __iadd__ = __imul__ = _refuse


def network_of(attributes):
    """Return the network that a dict of fitted attributes describes."""
    settings = attributes["settings_"]
    if settings["activation"] not in ACTIVATIONS:
        raise ValueError(
            f"The network has activation={settings['activation']!r}, which is not one of "
            f"{list(ACTIVATIONS)}. Add it to ACTIVATIONS, as before the network was trained."
        )
    sizes = attributes["n_features_in_"], *settings["hidden_layer_sizes"], attributes["n_outputs_"]
    loss = targets_of(attributes).make_loss(settings, attributes.get("temperature_", 1.0))
    return Network(sizes, ACTIVATIONS[settings["activation"]], loss)


def network_in_basis(network, basis):
    """Return the network on the coordinates of X, if there is a basis."""
    return network if basis is None else network.in_basis(Basis(*basis))


def describe_fit(task, config, snapshot, *, resumable):
    """Return the fitted attributes.

    Parameters
    ----------
    task : dict
        Those that the data determine, and what `partial_fit` continues from.
    config : TrainingConfig
    snapshot : dict
        Of the `TrainingState`.
    resumable : bool
        Whether to keep the optimizer's state and the random stream.
    """
    history, n_iter = snapshot["history"], snapshot["n_iter"]
    validated = [
        score if phase == "fit" and isfinite(score) else None
        for phase, score in zip(history["phase"], history["validation_score"], strict=True)
    ]
    scores = [score for score in validated if score is not None]
    latest = [score for score in validated[-n_iter:] if score is not None]
    resume, settings = dict(task["_resume"]), dict(vars(config))
    network = network_in_basis(network_of({**task, "settings_": settings}), snapshot["basis"])
    params = folded(snapshot["params"], network)
    if snapshot["shift"] is not None:  # the biases of the outputs are the last parameters
        params = params.copy()
        params[-len(snapshot["shift"]) :] += snapshot["shift"]
    if resumable:
        resume["random_state"] = snapshot["random_state"]
        # The optimizer's state in a basis does not fit the folded parameters.
        resume["optimizer"] = snapshot["optimizer"] if network.basis is None else {}
    return {
        **task,
        "_resume": resume,
        "settings_": settings,
        "params_": params,
        "n_layers_": len(config.hidden_layer_sizes) + 2,
        "n_iter_": n_iter,
        "t_": snapshot["samples_seen"],
        "temperature_": snapshot["temperature"],
        "loss_": history["loss"][-1],
        "loss_curve_": list(history["loss"]),
        "best_loss_": None if config.early_stopping else min(history["loss"]),
        "validation_scores_": scores or None,
        "best_validation_score_": max(latest, default=None),
        "history_": history,
    }
