"""The rules: pure functions and records. No Dagster, HTTP, SQL, environment, clock or logging."""
