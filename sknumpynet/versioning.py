"""The version of the package in saved objects, and warnings that point at the user's line."""

import warnings
from sys import _getframe

__version__ = "0.3.0"

# What scikit-learn adds while `fit` runs, and removes at its end.
OF_CALLBACKS = "_callback_fit_ctx", "_skl_callbacks_to_teardown"
# What these have saved lacks attributes. The first ones did not record their version.
UNREADABLE = None, "0.1.0"

# Warnings point at the first caller outside of these packages.
INTERNAL = {"sknumpynet", "sklearn", "joblib", "pickle", "skops"}


def warn_user(message, category=UserWarning):
    """Warn at the first line on the call stack that is outside of these packages."""
    frame, level = _getframe(1), 2
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in INTERNAL:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


class VersionMixin:
    """Records the version of the package when an object is saved, and compares it on loading.

    Loading raises a ValueError if this version cannot read the object.
    """

    def _replace_state(self, attributes):
        """Replace all attributes in one step.

        Whatever fails before it changes nothing, and another thread never sees a mixture.
        """
        self.__dict__ = attributes

    def __getstate__(self):
        state = {**super().__getstate__(), "_version": __version__}
        return {name: value for name, value in state.items() if name not in OF_CALLBACKS}

    def __setstate__(self, state):
        saved, current = state.pop("_version", None), __version__
        by = f"sknumpynet {saved}" if saved else "an early version of sknumpynet"
        made = f"This {type(self).__name__} was saved by {by}, and this is {current}"
        if saved in UNREADABLE:
            raise ValueError(f"{made}, which cannot read it. Train it anew.")
        if saved != current:
            warn_user(f"{made}: it may behave differently. Train it anew, or install {saved}.")
        super().__setstate__(state)
