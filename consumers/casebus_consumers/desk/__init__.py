"""The web desk of an agency: officers read, answer and sign in a browser, by its own view and key."""
