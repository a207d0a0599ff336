"""scikit-learn's callbacks, which 1.9 and newer have; older versions accept only a Checkpoint.

They are experimental: what is used of their protocol is here and in `observer`.
"""

from collections.abc import Callable
from typing import Any, Self, TypeVar

from sknumpynet.checkpoint import Checkpoint

try:
    from sklearn.callback import CallbackSupportMixin
    from sklearn.callback import with_callbacks as of_sklearn
except ImportError:
    SUPPORTED = False

    class CallbackSupportMixin:
        """Stands in for scikit-learn's mixin."""

        def set_callbacks(self, *callbacks: Checkpoint) -> Self:
            """Set a Checkpoint, or remove it if none is given.

            Parameters
            ----------
            *callbacks : Checkpoint
                scikit-learn 1.9 or newer also accepts other callbacks.

            Returns
            -------
            self : NumpyMLPClassifier
            """
            for callback in callbacks:
                if not isinstance(callback, Checkpoint):
                    raise TypeError(
                        f"{callback!r} is not accepted: before scikit-learn 1.9, which has "
                        "callbacks, it must be a Checkpoint."
                    )
            vars(self).pop("_skl_callbacks", None)
            if callbacks:
                self._skl_callbacks = list(callbacks)
            return self

        def __sklearn_clone__(self):
            other = super().__sklearn_clone__()
            return other.set_callbacks(*getattr(self, "_skl_callbacks", []))

else:
    SUPPORTED = True

Method = TypeVar("Method", bound=Callable[..., Any])


def with_callbacks(method: Method) -> Method:
    """Set the callbacks up before a method, and tear them down after it."""
    return of_sklearn(method) if SUPPORTED else method
