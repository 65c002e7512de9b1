"""Swap Commerce: dates, rows and sweeps of its Returns API, version 2."""
