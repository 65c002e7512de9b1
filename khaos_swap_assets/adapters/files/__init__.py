"""Files that people export and bring: CSV, also in Windows-1252 and with semicolons, and Parquet."""
