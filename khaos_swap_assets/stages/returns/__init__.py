"""The return as Swap tells it, and what it is in Khaos."""
