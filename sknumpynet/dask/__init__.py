"""Training and prediction on the blocks of Dask arrays and data frames.

Needs ``pip install "sknumpynet[dask]"``. X is never gathered: a block is read where it is, and only
networks travel between the workers. The page Clusters of the documentation says what this costs.
"""

from sknumpynet.dask.classifier import DaskNumpyMLPClassifier
from sknumpynet.dask.encoder import DaskNumericalEncoder
from sknumpynet.dask.regressor import DaskNumpyMLPRegressor
from sknumpynet.dask.tables import DaskTabularEncoder

__all__ = [
    "DaskNumericalEncoder",
    "DaskNumpyMLPClassifier",
    "DaskNumpyMLPRegressor",
    "DaskTabularEncoder",
]
