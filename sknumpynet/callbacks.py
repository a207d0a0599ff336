"""scikit-learn's callbacks (1.9 and newer), and nothing at all where they are not there.

They are experimental in scikit-learn: all that we use of them is in this file.
"""

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:
    SUPPORTED = False

    class CallbackSupportMixin:
        """Stands in for scikit-learn's; it has no `set_callbacks`."""

    def with_callbacks(method):
        return method
else:
    SUPPORTED = True


class FitTask:
    """One call of ``fit`` as callbacks see it: a task whose subtasks are the epochs.

    Parameters
    ----------
    estimator : estimator
        The one whose ``fit`` was called.
    max_iter : int
    data : dict
        ``X``, ``y`` and ``metadata`` as the user gave them.
    """

    def __init__(self, estimator, max_iter, data):
        self.estimator, self.data = estimator, data
        if SUPPORTED:
            self.context = estimator._init_callback_context(max_subtasks=max_iter)
            self.context.call_on_fit_task_begin(estimator=estimator, **data)

    def begin_epoch(self):
        if SUPPORTED:
            self.epoch = self.context.subcontext(task_name="epoch")
            self.epoch.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def end_epoch(self, fitted_attributes):
        """Tell that the epoch has ended; return whether a callback asks to stop.

        ``fitted_attributes()`` returns what makes the estimator ready to predict.
        """
        return SUPPORTED and self._end(self.epoch, fitted_attributes)

    def end(self, fitted_attributes):
        if SUPPORTED:
            self._end(self.context, fitted_attributes)

    def _end(self, context, fitted_attributes):
        return context.call_on_fit_task_end(
            estimator=self.estimator, **self.data, reconstruction_attributes=fitted_attributes
        )
