"""How it runs: the embedded broker, the whole stack and the casebus program."""
