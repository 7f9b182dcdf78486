"""What a program in a terminal has to handle: Ctrl-C, and its streams."""
