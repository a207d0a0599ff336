"""Transformers to put in front of the network."""

from sknumpynet.preprocessing.numerical import NumericalEncoder

__all__ = ["NumericalEncoder"]
