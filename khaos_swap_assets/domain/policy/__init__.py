"""What finance decided, and what a return comes to under it."""
