"""How an agency joins a bus with keys that it never hands over."""
