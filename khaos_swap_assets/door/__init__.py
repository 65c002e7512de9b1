"""One front door: sign-in, roles and sessions before the desk and before Dagster's own pages."""
