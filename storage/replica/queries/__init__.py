"""What the screens and commands read from the replica: one module per noun, functions that return frozen values."""
