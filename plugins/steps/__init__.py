"""What each step does: plain functions from values and ports to facts."""
