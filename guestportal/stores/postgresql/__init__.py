"""Django's PostgreSQL backend, except that no wait in it outlasts the visitor's."""
