"""What people see and do about one exception, or many of a queue: one module for each."""
