"""The tables of defaults in docstrings and in docs/defaults.md say what `presets.py` does."""

from inspect import cleandoc
from pathlib import Path
from textwrap import dedent

import pytest

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor
from sknumpynet.settings.presets import COLUMNS, DEFAULTS, OF_NUMBERS

DOCS = Path(__file__).parent.parent / "docs"
HEAD = "parameter", "fit, adam", "fit, sgd", "fit, lbfgs", "partial_fit", "sklearn"


def rows_and_notes(defaults):
    """Return the rows of the table, and the notes for values that depend on the data."""
    notes, rows = [], [HEAD]

    def cell(value):
        if not callable(value):
            return value if isinstance(value, str) else repr(value)
        if value.__doc__ not in notes:
            notes.append(value.__doc__)
        return f"[{'abcdefgh'[notes.index(value.__doc__)]}]"

    assert COLUMNS == ("adam", "sgd", "lbfgs", "partial_fit, adam", "partial_fit, sgd", "sklearn")
    for name, values in defaults.items():
        adam, sgd, lbfgs, stream_adam, stream_sgd, sklearn = map(cell, values)
        stream = stream_adam if stream_adam == stream_sgd else f"{stream_adam} / {stream_sgd}"
        rows.append((name, adam, sgd, lbfgs, stream, sklearn))
    return rows, [f"[{letter}] {note}" for letter, note in zip("abcdefgh", notes, strict=False)]


def for_docstring(defaults):
    """Return the table in reStructuredText, indented as in the class's docstring."""
    rows, notes = rows_and_notes(defaults)
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    rule = "  ".join("=" * width for width in widths)
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
    text = [rule, lines[0], rule, *lines[1:], rule, "", *(f"- {note}" for note in notes)]
    return "\n".join(f"    {line}".rstrip() for line in text).rstrip()


def for_markdown(defaults):
    """Return the table in Markdown."""
    rows, notes = rows_and_notes(defaults)
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|---" * len(HEAD) + "|")
    return "\n".join([*lines, "", *(f"- {note}" for note in notes)]).rstrip()


@pytest.mark.parametrize("where", ["docstring", "docs/defaults.md"])
@pytest.mark.parametrize(
    ("Estimator", "defaults"),
    [
        (NumpyMLPClassifier, DEFAULTS),
        (NumpyMLPRegressor, OF_NUMBERS),
    ],
)
def test_the_table_is_what_the_code_does(Estimator, defaults, where):
    if where == "docstring":
        text, table = cleandoc(Estimator.__doc__), dedent(for_docstring(defaults))
    else:
        text, table = (DOCS / "defaults.md").read_text(), for_markdown(defaults)
    assert table in text, f"{where} should have this table:\n{table}"
