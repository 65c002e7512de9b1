"""PostgreSQL: the embedded server, connections, migrations, bulk rows, and one module a group of tables."""
