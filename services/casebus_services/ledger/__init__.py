"""The ledger: every record of the ledgered topics becomes exactly one entry of a Merkle log."""
