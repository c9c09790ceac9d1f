"""Rules over published figures."""
