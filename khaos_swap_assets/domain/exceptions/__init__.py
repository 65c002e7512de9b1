"""Every kind of trouble, its owner and what closes it."""
