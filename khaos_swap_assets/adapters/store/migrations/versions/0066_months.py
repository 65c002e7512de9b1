"""The audit log and the history of stock levels lie in parts, one a month, so that an old month can be set apart.

Belongs here: what was a table becomes its first part, up to the end of next month, and stays where it is. Stays out:
the months after it (``store.months``).
"""

import sqlalchemy
from alembic import op

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None

LOG = """
ALTER TABLE recon.audit_log ALTER entry_id DROP IDENTITY, DROP CONSTRAINT audit_log_pkey;
ALTER TABLE recon.audit_log SET SCHEMA months;
ALTER TABLE months.audit_log RENAME TO audit_log_to_{name};
CREATE TABLE recon.audit_log (LIKE months.audit_log_to_{name} INCLUDING DEFAULTS) PARTITION BY RANGE (at);
CREATE SEQUENCE recon.audit_log_entry_id_seq OWNED BY recon.audit_log.entry_id;
SELECT setval('recon.audit_log_entry_id_seq', coalesce(max(entry_id), 0) + 1, false) FROM months.audit_log_to_{name};
ALTER TABLE recon.audit_log ALTER entry_id SET DEFAULT nextval('recon.audit_log_entry_id_seq'),
    ADD PRIMARY KEY (entry_id, at);
CREATE INDEX audit_log_document ON recon.audit_log USING hash (document);
ALTER TABLE recon.audit_log ATTACH PARTITION months.audit_log_to_{name} FOR VALUES FROM (MINVALUE) TO ('{end}');
CREATE TABLE months.audit_log_else PARTITION OF recon.audit_log DEFAULT;
CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON recon.audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION recon.refuse_change();
CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON months.audit_log_else
    FOR EACH STATEMENT EXECUTE FUNCTION recon.refuse_change();
"""
LEVELS = """
ALTER TABLE khaos.stock_level_history SET SCHEMA months;
ALTER TABLE months.stock_level_history RENAME TO stock_level_history_to_{name};
CREATE TABLE khaos.stock_level_history (LIKE months.stock_level_history_to_{name}, PRIMARY KEY
    (stock_code, site_id, observed_at)) PARTITION BY RANGE (observed_at);
ALTER TABLE khaos.stock_level_history ATTACH PARTITION months.stock_level_history_to_{name}
    FOR VALUES FROM (MINVALUE) TO ('{end}');
CREATE TABLE months.stock_level_history_else PARTITION OF khaos.stock_level_history DEFAULT;
"""
BACK = """
CREATE TABLE recon.former_log (LIKE recon.audit_log);
INSERT INTO recon.former_log SELECT * FROM recon.audit_log;
DROP TABLE recon.audit_log;
ALTER TABLE recon.former_log RENAME TO audit_log;
ALTER TABLE recon.audit_log ADD CONSTRAINT audit_log_pkey PRIMARY KEY (entry_id),
    ALTER entry_id ADD GENERATED ALWAYS AS IDENTITY, ALTER at SET DEFAULT now(), ALTER reason SET DEFAULT '';
SELECT setval(pg_get_serial_sequence('recon.audit_log', 'entry_id'), coalesce(max(entry_id), 0) + 1, false)
    FROM recon.audit_log;
CREATE INDEX audit_log_document ON recon.audit_log USING hash (document);
CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON recon.audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION recon.refuse_change();
CREATE TABLE khaos.former_levels (LIKE khaos.stock_level_history);
INSERT INTO khaos.former_levels SELECT * FROM khaos.stock_level_history;
DROP TABLE khaos.stock_level_history;
ALTER TABLE khaos.former_levels RENAME TO stock_level_history;
ALTER TABLE khaos.stock_level_history
    ADD CONSTRAINT stock_level_history_pkey PRIMARY KEY (stock_code, site_id, observed_at);
"""
MONTH = """
    to_char(newest AT TIME ZONE 'Europe/London' + interval '1 month', 'YYYY_MM'),
    (date_trunc('month', newest AT TIME ZONE 'Europe/London') + interval '2 months') AT TIME ZONE 'Europe/London'
"""
SET_APART = """
    SELECT count(*) FROM pg_class WHERE relnamespace = 'months'::regnamespace AND relkind = 'r' AND NOT relispartition
"""


def upgrade() -> None:
    """Make what there is the first part of each, up to the end of the next month of London."""
    op.execute("CREATE SCHEMA months")
    for statements, table, moment in (
        (LOG, "recon.audit_log", "at"),
        (LEVELS, "khaos.stock_level_history", "observed_at"),
    ):
        query = f"SELECT {MONTH} FROM (SELECT greatest(now(), max({moment})) AS newest FROM {table}) t"
        last, end = op.get_bind().execute(sqlalchemy.text(query)).one()
        op.execute(statements.format(name=last, end=end.isoformat()))


def downgrade() -> None:
    """One table each again; refused where a month was set apart already, since it would be lost."""
    if apart := op.get_bind().execute(sqlalchemy.text(SET_APART)).scalar_one():
        raise RuntimeError(f"{apart} months were set apart in schema months; move them elsewhere, then try again")
    op.execute(BACK)
    op.execute("DROP SCHEMA months")
