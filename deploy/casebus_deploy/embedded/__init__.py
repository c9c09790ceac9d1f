"""Servers that casebus brings along: Kafka, PostgreSQL, and what they need."""
