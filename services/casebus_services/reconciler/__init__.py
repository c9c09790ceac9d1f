"""Reconciler: folds each chain from its admitted events, compares accounts, keeps the clocks of the law."""
