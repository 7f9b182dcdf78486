"""What a program in a terminal has to handle: Ctrl-C, its streams, a user without a home, and a
package that is not installed."""
