"""The version of the package, known to the build and stamped on saved models."""

__version__ = "0.1.0"
