"""Mails to an agency's officers: that something has come, or falls due; nothing of what a case is about."""
