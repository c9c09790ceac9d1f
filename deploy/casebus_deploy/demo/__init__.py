"""Public cases played through their agencies, and what they must give."""
