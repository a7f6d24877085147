"""The chapters of PEP 101: a module each, nothing but the tasks of a release."""
