"""What reconciliation finds: a file a rule, named by its number."""
