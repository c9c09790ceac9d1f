"""Rules over one chain."""
