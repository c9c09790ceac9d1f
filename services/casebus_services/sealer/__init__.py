"""The sealer: epochs over the heads of all logs, each with one signed checkpoint."""
