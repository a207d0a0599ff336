"""The version of the package in saved objects."""

import sknumpynet
from sknumpynet.messages import warn_user

# What scikit-learn adds while `fit` runs, and removes at its end.
OF_CALLBACKS = "_callback_fit_ctx", "_skl_callbacks_to_teardown"
# What these have saved lacks attributes. The first ones did not record their version.
UNREADABLE = None, "0.1.0"


class VersionMixin:
    """Records the version of the package when an object is saved, and compares it on loading.

    Loading raises a ValueError if this version cannot read the object.
    """

    def __getstate__(self):
        state = {**super().__getstate__(), "_version": sknumpynet.__version__}
        return {name: value for name, value in state.items() if name not in OF_CALLBACKS}

    def __setstate__(self, state):
        saved, current = state.pop("_version", None), sknumpynet.__version__
        by = f"sknumpynet {saved}" if saved else "an early version of sknumpynet"
        made = f"This {type(self).__name__} was saved by {by}, and this is {current}"
        if saved in UNREADABLE:
            raise ValueError(f"{made}, which cannot read it. Train it anew.")
        if saved != current:
            warn_user(f"{made}: it may behave differently. Train it anew, or install {saved}.")
        super().__setstate__(state)
