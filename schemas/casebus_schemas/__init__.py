"""What is said: the events, bytes and law that every shelf agrees on (pure)."""
