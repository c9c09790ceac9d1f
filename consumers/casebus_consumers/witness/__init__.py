"""An agency's witness: it cosigns the heads of the ledger that only grow, and agree with what it has read."""
