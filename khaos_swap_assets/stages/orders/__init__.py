"""Khaos's documents: Sales Orders, and every Credit Note whoever made it."""
