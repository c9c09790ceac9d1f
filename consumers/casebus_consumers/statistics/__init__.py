"""Statistics with lineage: figures computed from individual events, and published ones held against them."""
