"""Dagster's web UI behind a guard of ours, in a process of its own."""
