"""What a service says to its supervisor when it ends by itself."""

EXIT_AGAIN = 75
"""The process ended on an error that a restart may cure (EX_TEMPFAIL)."""
EXIT_EVIDENCE = 70
"""The process ended because evidence is at risk (StopService): a person must look first (EX_SOFTWARE)."""
