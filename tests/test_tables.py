"""Mixed tables: numbers, categories and missing values, from a data frame to probabilities."""

import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from sknumpynet import NumericalEncoder, NumpyMLPClassifier

pd = pytest.importorskip("pandas")
# scikit-learn's OneHotEncoder, as skrub sets it up, warns of levels it has not seen.
pytestmark = pytest.mark.filterwarnings("ignore:Found unknown categories:UserWarning")
DATA = Path(os.environ.get("SKNUMPYNET_DATA", ""), "tabular")


def columns():
    """Return the pipeline of scikit-learn alone."""
    one_hot = OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=5, sparse_output=False
    )
    categories = make_column_selector(dtype_exclude="number")
    encode = make_column_transformer((one_hot, categories), remainder=NumericalEncoder())
    return make_pipeline(encode, classifier())


def vectorizer():
    """Return the pipeline with skrub's TableVectorizer."""
    skrub = pytest.importorskip("skrub")
    return make_pipeline(skrub.TableVectorizer(), NumericalEncoder(), classifier())


def tabular_pipeline():
    """Return skrub's own pipeline around the classifier."""
    return pytest.importorskip("skrub").tabular_pipeline(classifier())


def classifier():
    return NumpyMLPClassifier(effort=0.25, random_state=0)


def mixed_table(n=600):
    """Return a data frame of every kind of column, and labels that depend on several of them."""
    rng = np.random.RandomState(0)
    amount, group = rng.lognormal(size=n), rng.choice(["a", "b", "c"], n)
    y = (np.log(amount) + (group == "a") + 0.3 * rng.randn(n) > 0.5).astype(int)
    amount[rng.rand(n) < 0.1] = np.nan
    table = pd.DataFrame({"amount": amount, "group": group})
    table["city"] = pd.Categorical([f"city {k}" for k in rng.zipf(1.5, n) % 97])
    table["member"] = rng.rand(n) < 0.5
    table["count"] = pd.array(rng.poisson(3, n), dtype="Int64")
    table.loc[::9, "group"] = None
    table.loc[::10, "count"] = None
    return table, y


def real_table(name):
    """Return 3000 rows of a set in their original columns, categories as words, and y."""
    path = DATA / f"{name}.npz"
    if "SKNUMPYNET_DATA" not in os.environ or not path.is_file():
        pytest.skip(f"set SKNUMPYNET_DATA to a directory whose tabular/ holds {name}.npz")
    file = np.load(path)
    table = pd.DataFrame(file["num"], columns=file["num_names"])
    for name, codes in zip(file["cat_names"], file["cat"].T, strict=True):
        words = np.where(codes < 0, None, np.char.add("level ", codes.astype(str)))
        table[str(name)] = pd.Series(words, dtype=object)
    rows = np.random.default_rng(0).permutation(len(table))[:3000]
    return table.iloc[rows].reset_index(drop=True), file["y"][rows]


def without_nan(frame):
    """Return a dict of lists, with None for what is missing."""
    return {name: [None if pd.isna(value) else value for value in frame[name]] for name in frame}


@pytest.mark.parametrize(
    ("make", "library"),
    [
        (columns, "pandas"),  # make_column_selector reads the dtypes of pandas only
        (vectorizer, "pandas"),
        (vectorizer, "polars"),
        (tabular_pipeline, "pandas"),
        (tabular_pipeline, "polars"),
    ],
)
def test_a_mixed_table_is_learnt_with_unseen_levels_and_missing_values(make, library):
    table, y = mixed_table()
    new = table.tail(100).copy()
    new.loc[new.index[:5], "group"] = "never seen"
    if library == "polars":
        pl = pytest.importorskip("polars")
        table, new = (pl.DataFrame(without_nan(frame)) for frame in (table, new))
    model = make().fit(table.head(500), y[:500])
    proba = model.predict_proba(new)[:, 1]
    assert roc_auc_score(y[500:], proba) > 0.8


@pytest.mark.parametrize("make", [columns, vectorizer, tabular_pipeline])
@pytest.mark.parametrize(
    ("name", "auc"), [("adult", 0.85), ("bank_marketing", 0.75), ("german_credit", 0.70)]
)
def test_real_tables_with_their_original_columns(make, name, auc):
    table, y = real_table(name)
    half = len(y) // 2
    model = make().fit(table[:half], y[:half])
    assert roc_auc_score(y[half:], model.predict_proba(table[half:])[:, 1]) > auc
