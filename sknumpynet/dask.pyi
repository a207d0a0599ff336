from collections.abc import Sequence
from typing import Any, Literal, Self

from sknumpynet import Auto, NumericalEncoder, NumpyMLPClassifier, Table

class DaskNumpyMLPClassifier(NumpyMLPClassifier):
    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] | Auto = "auto",
        *,
        mode: Literal["streaming", "averaging"] = "streaming",
        client: Any = None,
        **parameters: Any,
    ) -> None: ...
    def fit(
        self,
        X: Table,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self: ...
    def predict(self, X: Table) -> Any: ...
    def predict_proba(self, X: Table) -> Any: ...
    def score(self, X: Table, y: Any, sample_weight: Any = None) -> float: ...
    def to_local(self) -> NumpyMLPClassifier: ...

class DaskNumericalEncoder(NumericalEncoder):
    def __init__(
        self, n_bins: int | Auto = "auto", *, n_rows: int = 100_000, client: Any = None
    ) -> None: ...
    def fit(self, X: Table, y: Any = None) -> Self: ...
    def transform(self, X: Table) -> Any: ...
    def to_local(self) -> NumericalEncoder: ...
