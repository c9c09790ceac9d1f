"""What services tell Prometheus: each metric defined once, by name, unit and meaning."""
