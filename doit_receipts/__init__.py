"""doit-receipts: what makes doit safe for a release that cannot be taken back."""
