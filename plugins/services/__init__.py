"""The real services behind the ports: one file for each."""
