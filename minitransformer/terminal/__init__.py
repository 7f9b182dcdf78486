"""What a program in a terminal has to handle: Ctrl-C, its streams, and a user without a home."""
