"""Snippets that need an extra are tested where it is installed."""

from importlib.util import find_spec

NEEDS = {"guide/clusters.md": "distributed", "guide/deploying.md": "onnxruntime"}
collect_ignore = [page for page, name in NEEDS.items() if find_spec(name) is None]
