"""The replica: this console's own SQLite copy of what it has verified. Reading it needs the standard library only."""
