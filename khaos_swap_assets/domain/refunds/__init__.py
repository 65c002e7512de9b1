"""Money that went back to a customer, and what proves it."""
