"""MNIST, from local IDX files or from OpenML.

The IDX format: a magic number 0x00000803 (images) or 0x00000801 (labels), the size of each
dimension, all as big-endian 32-bit integers, then the bytes. Files are not trusted: a header that
promises more than `MOST_BYTES` is refused, and a file must hold exactly what its header promises.
"""

import gzip
import os
import zlib
from math import prod
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import fetch_openml
from sklearn.utils import Bunch

FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
CHUNK = 2**20
# Enough for a million images of 28 x 28.
MOST_BYTES = 10**9


def fetch_mnist(
    data_dir: str | PathLike[str] | None = None,
    *,
    subset: Literal["train", "test", "all"] = "train",
    data_home: str | PathLike[str] | None = None,
    return_X_y: bool = False,
) -> Any:
    """Load the MNIST handwritten digits: 60,000 training and 10,000 test images of 28 x 28.

    Parameters
    ----------
    data_dir : path-like, default=None
        Directory with the four original IDX files, gzipped (``.gz``) or not. None looks into
        ``mnist/`` of the directory named by the environment variable ``SKNUMPYNET_DATA``, if that
        is set and the directory is there, and else fetches MNIST from OpenML.
    subset : {'train', 'test', 'all'}, default='train'
        Which images; 'all' has the training images first.
    data_home : path-like, default=None
        Directory in which scikit-learn caches what it fetches from OpenML.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    mnist : Bunch
        ``data``, uint8 of shape (n, 784), each pixel 0 to 255; ``target``, uint8 of shape (n,),
        the digits.

    Raises
    ------
    ValueError
        If a file is not as it should be; the message names the file.
    FileNotFoundError
        If `data_dir` lacks a file.
    OSError
        If there are no local files and OpenML cannot be reached.
    """
    if subset not in (*FILES, "all"):
        raise ValueError(f"subset={subset!r} is not accepted: it must be 'train', 'test' or 'all'.")
    if data_dir is None and os.environ.get("SKNUMPYNET_DATA"):
        local = Path(os.environ["SKNUMPYNET_DATA"]) / "mnist"
        data_dir = local if local.is_dir() else None
    if data_dir is None:
        openml = fetch_openml("mnist_784", version=1, as_frame=False, data_home=data_home)
        rows = {"train": slice(60_000), "test": slice(60_000, None), "all": slice(None)}[subset]
        X, y = openml.data[rows].astype(np.uint8), openml.target[rows].astype(np.uint8)
    else:
        names = list(FILES) if subset == "all" else [subset]
        pairs = [read_pair(Path(data_dir), *FILES[name]) for name in names]
        X, y = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    return (X, y) if return_X_y else Bunch(data=X, target=y)


def read_pair(directory, images_name, labels_name):
    """Return images (n, 784) and labels (n,) of one part of MNIST."""
    images_path, labels_path = find(directory, images_name), find(directory, labels_name)
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    if len(images) != len(labels):
        raise ValueError(
            f"{images_path} holds {len(images)} images, but {labels_path} {len(labels)} labels."
        )
    if images.shape[1:] != (28, 28):
        raise ValueError(f"{images_path} holds images of {images.shape[1:]}, not of (28, 28).")
    if labels.max(initial=0) > 9:
        raise ValueError(f"{labels_path} holds the label {labels.max()}: labels are 0 to 9.")
    return images.reshape(len(images), -1), labels


def find(directory, name):
    """Return the path of `name` or `name`.gz in `directory`."""
    for path in (directory / name, directory / f"{name}.gz"):
        if path.is_file():
            return path
    raise FileNotFoundError(f"{directory} holds neither {name} nor {name}.gz.")


def read_idx(path: str | PathLike[str], n_dimensions: int) -> NDArray[np.uint8]:
    """Return the uint8 array of an IDX file.

    Parameters
    ----------
    path : path-like
        Decompressed by gzip if it ends in ``.gz``.
    n_dimensions : int
        Number of dimensions that the file must have.

    Returns
    -------
    array : ndarray of uint8
        Of the shape that the file's header says.
    """
    path = Path(path)
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            header = file.read(4 * (1 + n_dimensions))
            if header[:4] != bytes([0, 0, 8, n_dimensions]):
                raise ValueError(
                    f"{path} starts with {header[:4].hex()!r}: it is not an IDX file of unsigned "
                    f"bytes in {n_dimensions} dimensions."
                )
            if len(header) < 4 * (1 + n_dimensions):
                raise ValueError(f"{path} ends within its header.")
            shape = [int(size) for size in np.frombuffer(header, ">u4", offset=4)]
            if not 0 < prod(shape) <= MOST_BYTES:
                raise ValueError(
                    f"{path} promises an array of shape {shape}: it must not be empty, nor have "
                    f"more than {MOST_BYTES} bytes."
                )
            content, missing = bytearray(), prod(shape)
            while missing > 0 and (chunk := file.read(min(missing, CHUNK))):
                content += chunk
                missing -= len(chunk)
            trailing = file.read(1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} is not a complete gzip file: {error}") from error
    if missing > 0:
        raise ValueError(
            f"{path} promises {prod(shape)} bytes of shape {shape}: {missing} missing."
        )
    if trailing:
        raise ValueError(f"{path} has bytes after the {prod(shape)} that its header promises.")
    return np.frombuffer(content, np.uint8).reshape(shape)
