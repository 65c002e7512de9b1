"""What a browser sees: of our own page in a test, and of a running demo for the pictures in ``docs/img``."""
