"""What a program that runs in a terminal has to mind: Ctrl-C, and its streams."""
