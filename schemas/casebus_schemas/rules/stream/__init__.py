"""Rules over a producer's stream of events."""
