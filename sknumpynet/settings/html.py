"""The HTML representation of an estimator in a notebook."""

from sknumpynet.settings.presets import is_auto


class Resolved:
    """A parameter left at 'auto', and the value that the last call of `fit` trained with."""

    def __init__(self, value):
        self.value = value

    def __repr__(self):
        value = f"{self.value:.4g}" if isinstance(self.value, float) else repr(self.value)
        return f"'auto' = {value}"


class RepresentationMixin:
    """Show what 'auto' became in the table of parameters, which scikit-learn has from 1.7 on."""

    def _get_params_html(self, *args, **kwargs):
        table = super()._get_params_html(*args, **kwargs)
        settings = getattr(self, "settings_", {})
        for name in settings.keys() & table.keys():
            if is_auto(table[name]):
                table[name] = Resolved(settings[name])
        return table
