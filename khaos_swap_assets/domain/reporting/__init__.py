"""The month that finance signs, and how it looks."""
