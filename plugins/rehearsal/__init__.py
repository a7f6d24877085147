"""The simulated environment on loopback in which a release is rehearsed."""
