"""The rules, once: pure functions from rows and a moment to a `Verdict`. No I/O, no clock, no Textual, no SQL."""
