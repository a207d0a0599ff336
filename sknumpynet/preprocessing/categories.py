"""Categories as numbers: their levels, and the table of a feature with few of them."""

import numpy as np

# Up to MOST_LEVELS levels have a column each; of more, this many of the commonest have, if there
# is no y to learn from.
MOST_LEVELS = 20


def distinct_levels(levels):
    """Return the distinct levels in order, a missing one last."""
    distinct = {*levels.tolist()}
    return sorted(distinct - {None}) + [None] * (None in distinct)


def positions(levels, known):
    """Return the position of each row's level in the known ones; behind the last if it is not."""
    position = {level: i for i, level in enumerate(known)}
    found = (position.get(level, len(known)) for level in levels.tolist())
    return np.fromiter(found, np.intp, len(levels))


def one_hot(count):
    """Return the table of a feature's commonest levels, with a column each.

    Parameters
    ----------
    count : ndarray of shape (n_levels,)
        How often each level occurs.

    Returns
    -------
    table : ndarray of shape (n_levels + 1, n_columns)
        The last row is that of unknown levels: zeros. Two levels have one column, in which it is
        the mean. One level has none.
    shown : ndarray of int of shape (n_columns,)
        The levels of the columns.
    """
    shown = np.sort(np.argsort(-count, kind="stable")[:MOST_LEVELS])
    shown = shown[len(count) <= 2 :]
    table = (np.arange(len(count) + 1)[:, None] == shown).astype(np.float32)
    if len(count) == 2:
        table[-1] = count[1] / count.sum()
    return table, shown
