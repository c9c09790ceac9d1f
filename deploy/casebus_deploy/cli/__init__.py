"""The one program casebus: a file a command."""
