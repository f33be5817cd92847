"""Countersign: entry points and the heart of the program."""
