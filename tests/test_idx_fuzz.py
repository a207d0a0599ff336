"""`read_idx` on spoilt files: either the array that the file holds, or an error that names it."""

import gzip
import struct
import tracemalloc
import zlib
from itertools import pairwise
from math import prod

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sknumpynet.datasets import CHUNK, MOST_BYTES, read_idx

MEGABYTE = 2**20
# What reading may take in addition to the array.
MOST_MEMORY = 4 * MEGABYTE

# Each case writes a file, so there are fewer of them than in other tests.
fewer = settings(max_examples=settings().max_examples // 5)
shapes = st.lists(st.integers(1, 6), min_size=1, max_size=4)
sizes = st.integers(0, 9) | st.sampled_from([MOST_BYTES, 2**31, 2**32 - 1]) | st.integers(0, 2**32)


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("idx")


def header(shape, kind=8):
    return struct.pack(f">4B{len(shape)}I", 0, 0, kind, len(shape), *shape)


@st.composite
def files(draw):
    """The bytes of a good file, and its number of dimensions."""
    shape = draw(shapes)
    n = prod(shape)
    return header(shape) + draw(st.binary(min_size=n, max_size=n)), len(shape)


def held(content, n_dimensions):
    """Return the array of a good IDX file, by the definition of the format; None if it is bad."""
    start = 4 + 4 * n_dimensions
    if content[:4] != bytes([0, 0, 8, n_dimensions]) or len(content) < start:
        return None
    shape = struct.unpack(f">{n_dimensions}I", content[4:start])
    if not 0 < prod(shape) == len(content) - start:
        return None
    return np.array(list(content[start:]), np.uint8).reshape(shape)


def check(directory, data, n_dimensions, *, packed):
    """Read a file; compare with what it holds. Return whether it was good."""
    path = directory / ("file.gz" if packed else "file")
    path.write_bytes(data)
    try:
        expected = held(gzip.decompress(data) if packed else data, n_dimensions)
    except (OSError, EOFError, zlib.error):
        expected = None
    if expected is None:
        with pytest.raises(ValueError) as caught:
            read_idx(path, n_dimensions)
        assert str(path) in str(caught.value)
        return False
    array = read_idx(path, n_dimensions)
    assert_array_equal(array, expected, strict=True)
    array[...] = 0  # it belongs to the caller
    return True


@fewer
@given(file=files(), packed=st.booleans())
def test_a_good_file_is_read(directory, file, packed):
    content, n_dimensions = file
    data = gzip.compress(content) if packed else content
    assert check(directory, data, n_dimensions, packed=packed)


@fewer
@given(file=files(), packed=st.booleans(), data=st.data())
def test_a_file_without_its_end_is_refused(directory, file, packed, data):
    content, n_dimensions = file
    whole = gzip.compress(content) if packed else content
    end = data.draw(st.integers(0, len(whole) - 1))
    assert not check(directory, whole[:end], n_dimensions, packed=packed)


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_without_its_end_is_refused_wherever_it_ends(directory, packed):
    content = header([3, 2]) + bytes(range(6))
    whole = gzip.compress(content) if packed else content
    for end in range(len(whole)):
        assert not check(directory, whole[:end], 2, packed=packed)


def test_a_wrong_bit_of_a_gzip_file_is_refused_or_changes_nothing(directory):
    """The time and the system in its header, for instance, do not matter."""
    content = header([3, 2]) + bytes(range(6))
    whole, n_read = gzip.compress(content), 0
    for bit in range(8 * len(whole)):
        spoilt = bytearray(whole)
        spoilt[bit // 8] ^= 1 << bit % 8
        if check(directory, bytes(spoilt), 2, packed=True):
            assert_array_equal(read_idx(directory / "file.gz", 2).ravel(), range(6))
            n_read += 1
    assert 0 < n_read < len(whole) * 4


@fewer
@given(file=files(), packed=st.booleans(), data=st.data())
def test_wrong_bits_are_refused_or_read_as_they_stand(directory, file, packed, data):
    """A flipped bit of a gzip file is refused, or is in a part that does not matter."""
    content, n_dimensions = file
    spoilt = bytearray(gzip.compress(content) if packed else content)
    bits = st.integers(0, 8 * len(spoilt) - 1)
    for bit in data.draw(st.lists(bits, min_size=1, max_size=3)):
        spoilt[bit // 8] ^= 1 << bit % 8
    is_good = check(directory, bytes(spoilt), n_dimensions, packed=packed)
    if is_good and packed:
        assert gzip.decompress(spoilt) == content


@fewer
@given(content=st.binary(max_size=60), n_dimensions=st.integers(1, 4), packed=st.booleans())
@example(content=b"", n_dimensions=1, packed=True)
def test_random_bytes_are_refused_or_read_as_they_stand(directory, content, n_dimensions, packed):
    check(directory, content, n_dimensions, packed=packed)


@fewer
@given(
    shape=st.lists(sizes, min_size=1, max_size=4),
    kind=st.sampled_from([8, 8, 8, 9, 13]),
    body=st.binary(max_size=90),
    n_dimensions=st.integers(1, 4),
    is_right=st.booleans(),
    packed=st.booleans(),
)
def test_any_header_is_refused_or_true(
    directory, shape, kind, body, n_dimensions, is_right, packed
):
    shape = [min(size, 2**32 - 1) for size in shape]
    content = header(shape, kind) + body
    n_dimensions = len(shape) if is_right else n_dimensions
    data = gzip.compress(content) if packed else content
    check(directory, data, n_dimensions, packed=packed)


@fewer
@given(
    file=files(),
    cuts=st.lists(st.integers(0, 200), max_size=4),
    padding=st.integers(0, 3),
    trailing=st.sampled_from([b"", b"", b"x", b"\x1f\x8b", b"\x1f\x8b\x08", gzip.compress(b"x")]),
)
def test_gzip_members_are_read_one_after_the_other(directory, file, cuts, padding, trailing):
    """gzip files may be concatenated, and be padded with zeros. Nothing else may follow."""
    content, n_dimensions = file
    bounds = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    parts = (content[a:b] for a, b in pairwise(bounds))
    data = b"".join(map(gzip.compress, parts)) + bytes(padding) + trailing
    assert check(directory, data, n_dimensions, packed=True) == (trailing == b"")


def test_a_file_that_is_packed_twice_or_misnamed_is_refused(directory):
    content = header([3, 2]) + bytes(range(6))
    assert not check(directory, gzip.compress(gzip.compress(content)), 2, packed=True)
    assert not check(directory, gzip.compress(content), 2, packed=False)
    assert not check(directory, content, 2, packed=True)


def packed_zeros(start, n_megabytes):
    """Return a gzip file of some bytes and many zeros; it is small."""
    packer = zlib.compressobj(1, wbits=31)
    zeros = bytes(MEGABYTE)
    parts = [packer.compress(start), *(packer.compress(zeros) for _ in range(n_megabytes))]
    return b"".join(parts) + packer.flush()


def refused_within(most_memory, path, n_dimensions, message):
    """Check that a file is refused, and the memory that this takes."""
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=message) as caught:
            read_idx(path, n_dimensions)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(path) in str(caught.value)
    assert peak < most_memory


@pytest.mark.parametrize("shape", [(3,), (2, 5), (1, 28, 28)])
def test_a_gzip_file_of_more_than_it_promises_is_not_unpacked(directory, shape):
    path = directory / "bomb.gz"
    path.write_bytes(packed_zeros(header(shape), 100))
    assert path.stat().st_size < MEGABYTE
    refused_within(MOST_MEMORY, path, len(shape), "bytes after the")


def test_a_file_that_promises_too_much_is_not_read(directory):
    path = directory / "bomb.gz"
    path.write_bytes(packed_zeros(header((1001, 1000, 1000)), 100))
    refused_within(MOST_MEMORY, path, 3, "must not be empty, nor have more than")


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_of_less_than_it_promises_takes_the_memory_of_its_content(directory, packed):
    path = directory / ("short.gz" if packed else "short")
    content = header((1000, 1000, 1000)) + bytes(3 * MEGABYTE)
    path.write_bytes(gzip.compress(content) if packed else content)
    message = f"promises {MOST_BYTES} bytes .* {MOST_BYTES - 3 * MEGABYTE} missing"
    refused_within(4 * MEGABYTE + MOST_MEMORY, path, 3, message)


def test_a_long_file_of_a_short_promise_is_not_read(directory):
    path = directory / "long"
    with path.open("wb") as file:
        file.write(header((3,)))
        file.truncate(300 * MEGABYTE)  # of zeros that take no place on most disks
    refused_within(MOST_MEMORY, path, 1, "bytes after the 3")
    path.unlink()


def test_many_empty_gzip_members_are_read(directory):
    content = header((4,)) + b"abcd"
    data = gzip.compress(b"") * 5000 + gzip.compress(content) + gzip.compress(b"") * 5000
    assert check(directory, data, 1, packed=True)


@pytest.mark.parametrize("n_bytes", [CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
@pytest.mark.parametrize("packed", [False, True])
def test_files_of_about_a_chunk_are_read(directory, n_bytes, packed):
    path = directory / ("chunks.gz" if packed else "chunks")
    content = np.random.RandomState(0).bytes(n_bytes)
    for wrong in (-1, 0, 1):
        data = header((n_bytes + wrong,)) + content
        path.write_bytes(gzip.compress(data, 1) if packed else data)
        if wrong == 0:
            assert read_idx(path, 1).tobytes() == content
        else:
            with pytest.raises(ValueError, match="missing" if wrong > 0 else "bytes after"):
                read_idx(path, 1)
