"""The real world behind the ports: one file for each real service."""
