"""
A table with numbers, categories, outliers and missing values
=============================================================

Real tables have columns of many kinds. :class:`sknumpynet.TabularEncoder` prepares such a table for
the network. The example compares it with what takes a dozen lines of scikit-learn, a
``StandardScaler`` and a ``OneHotEncoder``, with scikit-learn's ``MLPClassifier`` and with gradient
boosting.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.model_selection import cross_validate
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sknumpynet import NumpyMLPClassifier, TabularEncoder

# MLPClassifier's default is to stop after 200 epochs, converged or not.
warnings.filterwarnings("ignore", category=ConvergenceWarning)

# %%
# The data are made here. The probability depends on the logarithm of the income, on a range of the
# age and on the city. Some incomes were entered in cents, one value in ten is missing, and there
# are two columns of noise, one of them with extreme values. The data are made to have all of these
# difficulties; they say nothing about how often they occur.
rng = np.random.RandomState(0)
n = 3000
income = np.exp(rng.normal(8, 0.7, n))
age = rng.uniform(18, 80, n)
city = rng.choice(["Bern", "Lima", "Oslo", "Pune"], n, p=[0.4, 0.3, 0.2, 0.1])
middle_aged = (age > 35) & (age < 50)
logit = 2 * (np.log(income) - 8) + 3 * middle_aged - 2 * np.isin(city, ["Oslo", "Pune"])
y = rng.uniform(size=n) < 1 / (1 + np.exp(0.5 - logit))
X = pd.DataFrame({"income": income, "age": age, "noise_1": rng.normal(size=n)})
X["noise_2"] = rng.standard_cauchy(n)
X.loc[rng.uniform(size=n) < 0.03, "income"] *= 100
X = X.mask(rng.uniform(size=X.shape) < 0.1)
X["city"] = pd.Categorical(city)


# %%
# ``TabularEncoder`` takes the table as it is, and so does gradient boosting.
encoder = TabularEncoder().fit(X, y)
print(dict(zip(X, encoder.kinds_, strict=True)))
print(*encoder.get_feature_names_out()[-9:])

# %%
# scikit-learn alone needs a column transformer.
numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
categories = make_column_selector(dtype_exclude="number")
columns = make_column_transformer((one_hot, categories), remainder=numbers)
network = NumpyMLPClassifier(effort=0.25, random_state=0)
sklearns = MLPClassifier(random_state=0)
models = {
    "TabularEncoder,\nNumpyMLPClassifier": make_pipeline(TabularEncoder(), network),
    "StandardScaler,\nNumpyMLPClassifier": make_pipeline(columns, network),
    "TabularEncoder,\nMLPClassifier": make_pipeline(TabularEncoder(), sklearns),
    "StandardScaler,\nMLPClassifier": make_pipeline(columns, sklearns),
    "HistGradientBoosting-\nClassifier": HistGradientBoostingClassifier(
        categorical_features="from_dtype", random_state=0
    ),
}

# %%
# Three folds: each point is the log-loss or the error of one held-out fold. All models have their
# default settings, apart from ``effort=0.25`` for speed.
figure, axes = plt.subplots(1, 2, figsize=(9, 4.5), sharey=True, layout="constrained")
for position, (name, model) in enumerate(models.items()):
    scores = cross_validate(model, X, y, cv=3, scoring=["neg_log_loss", "accuracy"])
    results = -scores["test_neg_log_loss"], 1 - scores["test_accuracy"]
    for ax, values in zip(axes, results, strict=True):
        ax.plot(values, np.full(3, position), "o", color="0.5", markerfacecolor="none")
        ax.plot(values.mean(), position, "k|", markersize=18, markeredgewidth=2)
    print(
        f"{' '.join(name.split())}: log-loss {results[0].mean():.3f}, error {results[1].mean():.3f}"
    )
axes[0].set(xlabel="log-loss", yticks=range(len(models)), yticklabels=models)
axes[0].invert_yaxis()
axes[1].set(xlabel="error")
figure.suptitle("Held-out folds (circles) and their mean (bar); less is better")
plt.show()
