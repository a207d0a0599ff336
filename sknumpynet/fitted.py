"""The fitted attributes of the estimator."""

import numpy as np

from sknumpynet.core.activations import ACTIVATIONS
from sknumpynet.core.losses import LOSSES
from sknumpynet.core.network import Network


class Layers(list):
    """A list of views of `params_`; assigning an item, or all, writes to the parameters."""

    def __setitem__(self, index, values):
        targets = self[index] if isinstance(index, slice) else [self[index]]
        values = list(values) if isinstance(index, slice) else [values]
        if len(values) != len(targets):
            raise ValueError(f"{len(values)} arrays cannot replace those of {len(targets)} layers.")
        for target, value in zip(targets, values, strict=True):
            if np.shape(value) != target.shape:
                raise ValueError(
                    f"an array of shape {np.shape(value)} cannot replace a layer's {target.shape}."
                )
        for target, value in zip(targets, values, strict=True):
            target[...] = value


def network_of(attributes):
    """Return the network that a dict of fitted attributes describes."""
    settings = attributes["settings_"]
    if settings["activation"] not in ACTIVATIONS:
        raise ValueError(
            f"The network has activation={settings['activation']!r}, which is not one of "
            f"{list(ACTIVATIONS)}. Add it to ACTIVATIONS, as before the network was trained."
        )
    sizes = attributes["n_features_in_"], *settings["hidden_layer_sizes"], attributes["n_outputs_"]
    loss = LOSSES[attributes["out_activation_"]](
        settings["label_smoothing"], attributes.get("temperature_", 1.0)
    )
    return Network(sizes, ACTIVATIONS[settings["activation"]], loss)


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
        score if phase == "fit" and score == score else None
        for phase, score in zip(history["phase"], history["validation_score"], strict=True)
    ]
    scores = [score for score in validated if score is not None]
    latest = [score for score in validated[-n_iter:] if score is not None]
    resume = dict(task["_resume"])
    if resumable:
        resume |= {name: snapshot[name] for name in ("optimizer", "random_state")}
    return {
        **task,
        "_resume": resume,
        "settings_": dict(vars(config)),
        "params_": snapshot["params"],
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
