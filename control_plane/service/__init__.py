"""Use cases: one transaction each, the event written inside it."""
