"""Tests of completeness and latency."""
