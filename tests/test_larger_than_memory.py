"""Training on a file that is several times as large as the memory that the process may have."""

import subprocess
import sys

import numpy as np
import pytest

pytestmark = pytest.mark.slow

pytest.importorskip("resource", reason="limits of memory need Unix")

SHAPE = 500_000, 500
# What the process may allocate after its imports; the file has 1000 MB.
LIMIT = 250 * 2**20
PROGRAM = f"""
import resource
import sys

import numpy as np

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor

X = np.load(sys.argv[1], mmap_mode="r")
y = np.load(sys.argv[2])
NumpyMLPClassifier(8, max_iter=1).fit(X[:1000], y[:1000]).predict(X[:10])  # imports and threads
used = int(open("/proc/self/status").read().split("VmData:")[1].split()[0]) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (used + {LIMIT}, used + {LIMIT}))
try:
    np.array(X)
except MemoryError:
    print("the file does not fit")

model = NumpyMLPClassifier(16, max_time=4, random_state=0).fit(X, y)
print("fit", (model.predict(X) == y).mean(), model.predict_proba(X).shape)

regressor = NumpyMLPRegressor("quantile", 16, quantile=[0.4, 0.6], max_iter=1, random_state=0)
print("fit", ((regressor.fit(X, y).predict(X)[:, 0] > 0.5) == y).mean())

stream = NumpyMLPClassifier(16, random_state=0)
for start in range(0, len(X), 10_000):
    rows = slice(start, start + 10_000)
    stream.partial_fit(X[rows], y[rows], classes=[0, 1])
print("partial_fit", (stream.predict(X) == y).mean())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_fit_partial_fit_and_predict_on_a_file_larger_than_memory(tmp_path):
    rng, y = np.random.default_rng(0), np.empty(SHAPE[0], np.int64)
    X = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", np.float32, SHAPE)
    for start in range(0, len(X), 10_000):
        block = rng.standard_normal((10_000, SHAPE[1]), np.float32)
        X[start : start + 10_000] = block
        y[start : start + 10_000] = block[:, 0] + block[:, 1] > 0
    X.flush()
    np.save(tmp_path / "y.npy", y)
    assert X.nbytes > 3 * LIMIT
    command = [sys.executable, "-c", PROGRAM, tmp_path / "X.npy", tmp_path / "y.npy"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "the file does not fit"
    assert [float(line.split()[1]) > 0.9 for line in lines[1:]] == [True, True, True]
