"""The audit from files in a browser: files are dropped, their headings mapped, the report read, and nothing is kept."""
