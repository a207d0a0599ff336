"""The documentation: names, docstrings, links and included code."""

import ast
import importlib
import re
from pathlib import Path

import pytest
from numpydoc.validate import validate

import sknumpynet

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
DIRECTIVE = re.compile(r"^```\{literalinclude\} (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INCLUDES = [
    pytest.param(page.parent / path, options, id=f"{page.name}-{i}")
    for page in PAGES
    for i, (path, options) in enumerate(DIRECTIVE.findall(page.read_text()))
]
NAMES = [name for name in sknumpynet.__all__ if name != "__version__"]
METHODS = "fit partial_fit predict predict_proba predict_log_proba decision_function transform"
METHODS += " fit_transform get_feature_names_out from_estimator plot"
# A docstring may do without examples, references to others and a longer summary, and its results
# may have names.
OPTIONAL = {"EX01", "SA01", "ES01", "RT02"}
DASK = {
    "DaskNumpyMLPClassifier": [
        "fit",
        "partial_fit",
        "predict",
        "predict_proba",
        "predict_log_proba",
        "decision_function",
        "score",
        "to_local",
    ],
    "DaskNumericalEncoder": ["fit", "transform", "to_local"],
    "DaskTabularEncoder": ["fit", "fit_transform", "transform", "to_local"],
}


def documented():
    """Return the names of the public classes, methods and functions."""
    for name in NAMES:
        yield f"sknumpynet.{name}"
        for method in METHODS.split():
            if method in vars(getattr(sknumpynet, name)):
                yield f"sknumpynet.{name}.{method}"
    yield from ("sknumpynet.datasets.fetch_mnist", "sknumpynet.datasets.read_idx")
    yield "sknumpynet.onnx.register"
    for name, methods in DASK.items():
        yield from (f"sknumpynet.dask.{name}", *(f"sknumpynet.dask.{name}.{m}" for m in methods))


@pytest.mark.parametrize("name", documented())
def test_a_public_docstring_passes_numpydocs_validation(name):
    if name.startswith(("sknumpynet.dask.", "sknumpynet.onnx.")):
        pytest.importorskip("distributed")
        pytest.importorskip("skl2onnx")
    errors = [error for error in validate(name)["errors"] if error[0] not in OPTIONAL]
    assert errors == []


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_is_in_the_api_reference(name):
    assert f".. autoclass:: sknumpynet.{name}\n" in (ROOT / "docs" / "api.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_of_a_page_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        if ":" in path:
            continue  # another site
        file = page if path == "" else page.parent / path
        assert file.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
            slugs = [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]
            assert anchor in slugs, target


def test_the_version_is_the_same_everywhere():
    version = sknumpynet.__version__
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert (
        re.search(r"^## (\S+?),? ", (ROOT / "docs" / "changelog.md").read_text(), re.M)[1]
        == version
    )


@pytest.mark.parametrize("page", ["README.md", "docs/benchmarks.md"])
def test_a_page_has_the_figures_of_the_benchmarks(page, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "examples" / "benchmarks")
    report = importlib.import_module("report")
    text = (ROOT / page).read_text()
    filled = report.fill(text)
    assert "<!-- end -->" in filled
    assert filled == text
    figure = re.search(r"\| (\d+\.\d+) \|", text)[1]
    wrong = text.replace(f"| {figure} |", f"| {figure}9 |", 1)
    assert report.fill(wrong) == text


def names_in(body, prefix=""):
    """Return the dotted names of all classes and functions, methods included."""
    names = set()
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names |= {prefix + node.name}
            names |= names_in(node.body, f"{prefix}{node.name}.")
    return names


@pytest.mark.parametrize(("path", "options"), INCLUDES)
def test_included_code_exists_and_is_named(path, options):
    options = dict(re.findall(r"^:([\w-]+):[ ]?(.*)$", options, re.MULTILINE))
    assert "lines" not in options
    tree = ast.parse(path.read_text())
    assert options["pyobject"] in names_in(tree.body)
