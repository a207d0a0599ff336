"""Sphinx: `python -m sphinx -W -b html docs build/html` from the root of the repository."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before scikit-learn is imported

import sknumpynet

project = "sknumpynet"
author = "the sknumpynet developers"
version = release = sknumpynet.__version__
extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx-mathjax-offline",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["benchmarks/*", "gallery/**/*.ipynb", "gallery/**/*.py", "gallery/**/*.md5"]
default_role = "literal"
autodoc_mock_imports = ["dask", "distributed", "onnx", "skl2onnx"]
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
numpydoc_show_class_members = False
copybutton_prompt_text = ">>> |\\.\\.\\. "
copybutton_prompt_is_regexp = True

# Other projects' objects are linked only where a network is asked for.
if os.environ.get("SKNUMPYNET_INTERSPHINX"):
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "sklearn": ("https://scikit-learn.org/stable", None),
    }

sphinx_gallery_conf = {
    "examples_dirs": "../examples/gallery",
    "gallery_dirs": "gallery",
    "backreferences_dir": "gallery/backreferences",
    "doc_module": ("sknumpynet",),
    "abort_on_example_error": True,
    "download_all_examples": False,
    "min_reported_time": 1e9,
    "show_memory": False,
}

html_theme = "pydata_sphinx_theme"
html_title = "sknumpynet"
html_show_sourcelink = False
html_sidebars = {page: [] for page in ("index", "mathematics", "api", "benchmarks")}
html_theme_options = {
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
