"""The schema registry: our catalogue in the Confluent REST dialect, read-only."""
