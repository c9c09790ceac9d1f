"""Webhooks of the door to the agency's own systems, by the specification Standard Webhooks."""
