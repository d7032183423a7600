"""The command lines of the three scripts, one module each."""
