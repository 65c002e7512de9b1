"""The command line ``khaos-swap``: one module for each group of commands."""
