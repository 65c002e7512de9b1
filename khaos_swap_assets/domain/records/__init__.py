"""What the vendors and the shop tell: returns, orders, Stock Codes, packs."""
