"""Who hears it: what liaison officers and auditors read."""
