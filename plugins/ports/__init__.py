"""Services outside this tool, one module a subject: what steps and checks may ask of them.

A port is a small Protocol. Implementations live in ``plugins.services``; they raise
``ServiceFailed`` for what goes wrong there and never ask a person anything.
"""
