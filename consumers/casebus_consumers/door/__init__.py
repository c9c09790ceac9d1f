"""The door of an agency: its systems say and hear by HTTP, through the agency's own outbox, key and inbox."""
