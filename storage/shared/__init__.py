"""The shared database: one interface, and its SQLite form."""
