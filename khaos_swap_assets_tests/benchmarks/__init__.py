"""Tests of the benchmarks themselves: what they feed in, and that they notice a wrong result."""
