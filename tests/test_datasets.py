"""Reading IDX files, good and bad ones."""

import gzip
import struct

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sknumpynet.datasets import FILES, fetch_mnist, read_idx

IMAGES = np.arange(3 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(3, 28, 28)
LABELS = np.array([7, 2, 9], np.uint8)


def idx(array, shape=None):
    shape = array.shape if shape is None else shape
    return struct.pack(f">4B{len(shape)}I", 0, 0, 8, len(shape), *shape) + array.tobytes()


@pytest.fixture
def directory(tmp_path):
    for n, (images, labels) in enumerate(FILES.values(), start=1):
        (tmp_path / images).write_bytes(idx(IMAGES[:n]))
        (tmp_path / f"{labels}.gz").write_bytes(gzip.compress(idx(LABELS[:n])))
    return tmp_path


def test_local_files_gzipped_or_not(directory):
    mnist = fetch_mnist(directory, subset="test")
    assert_array_equal(mnist.data, IMAGES[:2].reshape(2, 784))
    assert_array_equal(mnist.target, LABELS[:2])
    assert mnist.data.dtype == np.uint8
    X, y = fetch_mnist(directory, subset="all", return_X_y=True)
    assert_array_equal(y, [7, 7, 2])
    assert X.shape == (3, 784)


def test_the_environment_names_the_directory(directory, monkeypatch):
    (directory / "mnist").mkdir()
    for path in directory.glob("*ubyte*"):
        path.rename(directory / "mnist" / path.name)
    monkeypatch.setenv("SKNUMPYNET_DATA", str(directory))
    assert len(fetch_mnist().target) == 1


@pytest.mark.parametrize("subset", ["train", "test", "all"])
def test_openml_where_there_are_no_files(monkeypatch, subset):
    monkeypatch.delenv("SKNUMPYNET_DATA", raising=False)

    class Answer:
        data = np.repeat(np.arange(70_000)[:, None] % 256, 2, axis=1)
        target = (np.arange(70_000) % 10).astype(str).astype(object)

    monkeypatch.setattr("sknumpynet.datasets.fetch_openml", lambda *args, **kwargs: Answer)
    X, y = fetch_mnist(subset=subset, return_X_y=True)
    rows = {"train": np.arange(60_000), "test": np.arange(60_000, 70_000)}.get(
        subset, np.arange(70_000)
    )
    assert_array_equal(y, rows % 10)
    assert_array_equal(X[:, 0], rows % 256)
    assert X.dtype == y.dtype == np.uint8


BAD_FILES = {
    "magic": (b"\x00\x00\x0d" + idx(LABELS)[3:], "starts with '00000d01'"),
    "dimensions": (idx(IMAGES), "starts with '00000803'"),
    "empty": (b"", "starts with ''"),
    "header": (idx(LABELS)[:6], "ends within its header"),
    "truncated": (idx(LABELS)[:-1], "1 missing"),
    "a header of 4 GB": (idx(LABELS, (2**32 - 1,)), r"promises an array of shape \[4294967295\]"),
    "an empty header": (idx(LABELS[:0]), r"promises an array of shape \[0\]"),
    "labels": (idx(LABELS[2:] + 3), "holds the label 12"),
    "trailing": (idx(LABELS) + b"x", "bytes after"),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_named(directory, kind, packed):
    content, message = BAD_FILES[kind]
    path = directory / FILES["train"][1]
    if packed:
        path = path.with_name(path.name + ".gz")
        content = gzip.compress(content)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        fetch_mnist(directory)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("spoil", [lambda b: b[:-9], lambda b: b"x" + b, lambda b: b[:20] + b[21:]])
def test_a_bad_gzip_file_is_named(directory, spoil):
    path = directory / (FILES["train"][1] + ".gz")
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ValueError, match="not a complete gzip file") as caught:
        fetch_mnist(directory)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("shape", [(2**31, 2**31, 0), (2**16, 2**16, 2**16)])
def test_a_header_of_huge_or_empty_dimensions_is_refused_before_anything_is_read(directory, shape):
    path = directory / FILES["train"][0]
    path.write_bytes(idx(IMAGES[:0], shape))
    with pytest.raises(ValueError, match="must not be empty, nor have more than") as caught:
        fetch_mnist(directory)
    assert str(path) in str(caught.value)


def test_images_of_another_size_are_refused(directory):
    path = directory / FILES["train"][0]
    path.write_bytes(idx(IMAGES[:1, :2, :2]))
    with pytest.raises(ValueError, match=r"images of \(2, 2\), not of \(28, 28\)"):
        fetch_mnist(directory)


def test_images_and_labels_must_be_as_many(directory):
    (directory / FILES["train"][0]).write_bytes(idx(IMAGES))
    with pytest.raises(ValueError, match=r"holds 3 images, but .* 1 labels"):
        fetch_mnist(directory)


def test_a_missing_file_and_a_wrong_subset(tmp_path):
    with pytest.raises(FileNotFoundError, match="train-images-idx3-ubyte nor"):
        fetch_mnist(tmp_path)
    with pytest.raises(ValueError, match="subset='val'"):
        fetch_mnist(tmp_path, subset="val")


def test_read_idx_returns_the_shape_of_the_header(tmp_path):
    (tmp_path / "images").write_bytes(idx(IMAGES))
    assert_array_equal(read_idx(tmp_path / "images", 3), IMAGES)
