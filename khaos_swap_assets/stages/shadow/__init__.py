"""What we would have posted beside what staff posted."""
