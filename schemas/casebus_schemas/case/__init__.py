"""One matter across agencies: its events folded, its accounts, its duties."""
