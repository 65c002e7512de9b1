"""Tests of the stage of the money."""
