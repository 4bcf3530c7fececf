"""The Guest API as the requirements describe it: guests, and ephemeral tokens for them."""
