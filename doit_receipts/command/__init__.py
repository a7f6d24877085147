"""The commands that doit-receipts adds to doit, and those of doit that it extends."""
