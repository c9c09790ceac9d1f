"""Reference pages generated from the contract."""
