"""What is advised before an event is said, and what events would give."""
