"""Hyper-parameters: what each accepts, and what 'auto' means."""
