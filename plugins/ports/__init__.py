"""The outside world, one module a subject: what steps and checks may ask of it.

A port is a small Protocol. Implementations live in ``plugins.services``; they raise
``ServiceFailed`` for what the world does wrong and never ask a person anything.
"""
