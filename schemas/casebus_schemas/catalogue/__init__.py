"""What may be said: event types, their schemas and versions, topics, and how schemas may change."""
