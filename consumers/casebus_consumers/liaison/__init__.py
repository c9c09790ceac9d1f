"""What liaison officers read: notices, what is due, what disagrees."""
