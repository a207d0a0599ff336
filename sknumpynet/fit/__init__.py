"""A call of `fit`: the pilot run, the training, and who watches it."""
