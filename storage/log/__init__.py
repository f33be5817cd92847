"""The two append-only, hash-chained logs: what an entry is, how it is sealed, and how anyone verifies it."""
