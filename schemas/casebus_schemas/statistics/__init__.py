"""Figures counted from single events, each with its lineage."""
