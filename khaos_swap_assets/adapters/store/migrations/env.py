"""Runs the migrations on the connection that ``migrate`` hands over, in one transaction.

Belongs here: what Alembic wants of an environment and nothing else.
"""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=False)

with context.begin_transaction():
    context.run_migrations()
