"""The sealed zone: personal data of an event, encrypted for those who may read it; pure."""
