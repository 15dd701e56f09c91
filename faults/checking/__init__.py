"""The checker. It shares no code with the system: it reads topics, databases and the ledger, and counts."""
