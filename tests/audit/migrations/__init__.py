"""The audit app's migrations, and one more that remakes the events' table on SQLite."""
