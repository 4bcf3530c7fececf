"""Consent: what the visitor said, what follows from it, and how it is taken back."""
