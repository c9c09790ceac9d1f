"""The whole bus on one machine: starting, watching and operating it."""
