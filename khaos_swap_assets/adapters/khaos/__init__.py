"""Khaos Control: the web service that we call, and the return documents that it pulls from us."""
