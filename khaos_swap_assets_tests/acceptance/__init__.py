"""What the product must do, asked of it from outside: by the vendors' contracts, the finance rules and its own pages.

Belongs here: tests that speak to it as vendors and people do. Stays out: anything that knows how it is made.
"""
