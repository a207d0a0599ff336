"""The examples run, draw their figures and reach what they should."""

import runpy
import sys
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture
def run(monkeypatch, capsys):
    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return run


def test_mnist_example_falls_back_to_the_bundled_digits(run, tmp_path):
    figure = tmp_path / "figure.png"
    out = run("plot_mnist.py", "--data-dir", tmp_path, "--output", figure)
    assert "MNIST is not available" in out
    assert "predicts the same when loaded: True" in out
    assert figure.stat().st_size > 10_000
    accuracy = float(out.split("% test")[0].split()[-1])
    assert accuracy > 97.5


def test_grid_search_example(run, tmp_path):
    figure = tmp_path / "figure.png"
    assert "best of the grid" in run("plot_grid_search.py", "--output", figure)
    assert figure.stat().st_size > 10_000


@pytest.mark.parametrize(
    "path", sorted((EXAMPLES / "gallery").glob("plot_*.py")), ids=lambda p: p.stem
)
def test_an_example_of_the_gallery_draws(path, run):
    with mpl.rc_context({"backend": "Agg"}):
        run(path)
        assert plt.get_fignums()
        plt.close("all")
