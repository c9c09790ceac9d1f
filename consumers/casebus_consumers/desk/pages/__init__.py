"""The pages of the desk: each file has its addresses, what they need, and what they show."""
