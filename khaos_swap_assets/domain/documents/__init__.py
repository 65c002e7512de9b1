"""Drafts, postings and Credit Notes."""
