from importlib import import_module

Migration = import_module("audit.migrations.0001_initial").Migration
