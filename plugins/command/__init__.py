"""The doit side: how steps become tasks, and how their receipts make progress durable."""
