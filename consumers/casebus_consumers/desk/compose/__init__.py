"""Composing events by hand: forms made from the schemas, drafts, the judge before saying, four eyes."""
