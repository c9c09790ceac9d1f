"""Streams: from Kafka to a service and back, without loss."""
