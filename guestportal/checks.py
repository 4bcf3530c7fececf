"""System checks: unsafe or missing settings, by name."""
