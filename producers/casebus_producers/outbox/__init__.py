"""From the door to Kafka: events signed, kept in the agency's own file, relayed in order."""
