"""The outside world in plain Python: vendors, store, settings, clock, alerts. No Dagster, no rules."""
