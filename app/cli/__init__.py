"""The command line: every screen's headless twin (interface.md)."""
