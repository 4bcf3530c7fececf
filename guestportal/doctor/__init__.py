"""What `manage.py doctor` looks at: everything that a production set-up can lack."""
