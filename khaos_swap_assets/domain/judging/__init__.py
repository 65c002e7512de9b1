"""From the facts of a return to its status, gap and exceptions."""
