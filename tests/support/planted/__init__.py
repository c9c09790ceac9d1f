"""A year of made-up cases with faults whose places are known, to see what the rules find of them."""
