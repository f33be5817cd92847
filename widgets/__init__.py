"""The reusable visible parts: they know Textual and plain values, nothing of storage or services."""
