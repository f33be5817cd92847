"""The demo (REQ-803): a lively world made by the real commands, colleagues who act in it, and trials of size."""
