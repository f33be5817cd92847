"""What the program does, one module per noun. A command is a pure function from a View to a Change, in four visible
steps: read, ask the policy, say what changes, say what it means. `desk` is what runs one."""
