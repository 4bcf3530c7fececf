"""Django's SQLite backend, except that connections are kept and lent out again."""
