"""The Merkle ledger's leaves and trees."""
