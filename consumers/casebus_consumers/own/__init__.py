"""An agency's own view: its cases by what it said and heard itself, in a database beside its outbox."""
