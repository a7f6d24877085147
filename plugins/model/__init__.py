"""Values and rules: what a release is, with no way to touch the world but receipts and settings."""
