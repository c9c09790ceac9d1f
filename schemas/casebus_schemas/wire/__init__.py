"""Bytes and JSON: Avro bodies, headers, signatures, and the event at an agency's door."""
