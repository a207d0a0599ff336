"""
Prediction intervals
====================

With ``loss='quantile'`` and several levels, one :class:`sknumpynet.NumpyMLPRegressor` predicts
several quantiles of the target. Two of them are the ends of an interval. It is wide where the
target varies much, and narrow where it does not.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sknumpynet import NumericalEncoder, NumpyMLPRegressor

# %%
# The target is a wave with noise that grows to the right. The noise is not symmetric: a few values
# are far above the wave, and none is below it.
rng = np.random.RandomState(0)
x = rng.uniform(0, 10, 4000)
y = np.sin(x) + (0.1 + 0.06 * x) * rng.gamma(2, 1, len(x))
x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=0)

# %%
# The predicted quantiles have the order of their levels, so the interval is never empty. ``mean``
# is the same network with the default loss, the squared error.
levels = [0.05, 0.5, 0.95]
quantiles = make_pipeline(
    NumericalEncoder(), NumpyMLPRegressor("quantile", quantile=levels, random_state=0)
).fit(x_train[:, None], y_train)
mean = make_pipeline(NumericalEncoder(), NumpyMLPRegressor(random_state=0)).fit(
    x_train[:, None], y_train
)

# %%
# Of the test rows, nine in ten should be within the interval, on the left as well as on the right,
# and one in twenty on each side of it.
low, median, high = quantiles.predict(x_test[:, None]).T
for name, part in {"left half": x_test < 5, "right half": x_test >= 5}.items():
    below, above = np.mean(y_test[part] < low[part]), np.mean(y_test[part] > high[part])
    width = np.mean(high[part] - low[part])
    print(f"{name}: {below:.3f} below, {above:.3f} above, mean width {width:.2f}")

# %%
grid = np.linspace(0, 10, 500)
low, median, high = quantiles.predict(grid[:, None]).T
figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
axes.scatter(x_test, y_test, s=6, color="0.6", label="test rows")
axes.fill_between(grid, low, high, color="tab:blue", alpha=0.25, label="interval of 90 %")
axes.plot(grid, median, color="tab:blue", label="median")
axes.plot(grid, mean.predict(grid[:, None]), color="black", linestyle="--", label="mean")
axes.set(xlabel="x", ylabel="y", title="Three quantiles of one network, and the mean of another")
axes.legend(loc="upper left")
plt.show()
