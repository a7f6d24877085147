"""A world on loopback to rehearse a release in."""
