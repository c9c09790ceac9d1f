"""The life of an agency's own keys: read, exchanged, ended."""
