"""Who says it: an agency's outbox, signatures and publisher."""
