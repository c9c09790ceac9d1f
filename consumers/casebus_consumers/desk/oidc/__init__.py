"""Signing in at the agency's own identity provider (OpenID Connect)."""
