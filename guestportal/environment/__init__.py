"""How a setting comes from the environment or from ``.env`` to a value that its user takes."""
