"""Personal data: sealed for the recipients, opened by them, and the keys of both."""
