"""What both sides say, side by side: each return, the exceptions, the month."""
