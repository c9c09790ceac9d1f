"""The auditor: verifies the ledger by itself and against Kafka. Reads only."""
