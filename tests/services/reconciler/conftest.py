"""Databases for the reconciler's tests: the same suite on SQLite and PostgreSQL."""

from support.reconciler.accounts_fixtures import accounts_url, database, other

__all__ = ["accounts_url", "database", "other"]
