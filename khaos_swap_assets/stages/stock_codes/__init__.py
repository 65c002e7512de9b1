"""Khaos's catalogue."""
