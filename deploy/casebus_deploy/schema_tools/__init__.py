"""The gate that schemas pass before they are published, and the way to a registry."""
