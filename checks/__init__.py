"""Judgements about a release: values and read-only ports in, findings out."""
