from os import PathLike
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

def fetch_mnist(
    data_dir: str | PathLike[str] | None = None,
    *,
    subset: Literal["train", "test", "all"] = "train",
    data_home: str | PathLike[str] | None = None,
    return_X_y: bool = False,
) -> Any: ...
def read_idx(path: str | PathLike[str], n_dimensions: int) -> NDArray[np.uint8]: ...
