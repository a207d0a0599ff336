"""Names of types in annotations."""

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Auto: TypeAlias = Literal["auto"]
Floats: TypeAlias = NDArray[np.floating]
Integers: TypeAlias = NDArray[np.integer]
Table: TypeAlias = Any  # array-like, data frame or sparse matrix
