"""Alembic's folder: the environment and the versions of the tables."""
