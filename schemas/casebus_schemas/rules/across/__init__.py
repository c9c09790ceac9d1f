"""Rules over several chains."""
