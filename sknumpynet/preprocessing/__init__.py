"""Transformers to put in front of the network."""

from sknumpynet.preprocessing.numerical import NumericalEncoder
from sknumpynet.preprocessing.tabular import TabularEncoder

__all__ = ["NumericalEncoder", "TabularEncoder"]
