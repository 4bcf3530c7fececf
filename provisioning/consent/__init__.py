"""Consent: what the visitor said, what follows from it, and the receipt of it."""
