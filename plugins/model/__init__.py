"""Values and rules: what a release is, with no side effects but receipts and settings."""
