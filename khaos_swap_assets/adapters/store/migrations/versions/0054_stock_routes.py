"""Routes that carry adjustments into Khaos: files for its import screen, and levels that are set.

Belongs here: ``recon.stock_files``, ``recon.stock_transfers``, and which transfer carries an adjustment. A Stock Code
has one open transfer at a site.
"""

from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE recon.stock_files (
    file_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    file_name text NOT NULL,
    content text NOT NULL,
    made_at timestamptz NOT NULL,
    written_at timestamptz
);
CREATE INDEX stock_files_made ON recon.stock_files (made_at);
CREATE INDEX stock_files_unwritten ON recon.stock_files (file_id) WHERE written_at IS NULL;
CREATE TABLE recon.stock_transfers (
    transfer_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    route text NOT NULL CHECK (route IN ('file', 'level')),
    file_name text NOT NULL,
    site_id integer NOT NULL,
    stock_code text NOT NULL,
    quantity integer NOT NULL CHECK (quantity <> 0),
    value_pence bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('out', 'again', 'person', 'moved', 'refused', 'settled')),
    level_read integer NOT NULL,
    level_wanted integer NOT NULL,
    read_at timestamptz NOT NULL,
    attempts integer NOT NULL,
    window_ms integer,
    level_after integer,
    level_after_at timestamptz,
    ended_at timestamptz
);
CREATE UNIQUE INDEX stock_transfers_open ON recon.stock_transfers (site_id, stock_code) WHERE ended_at IS NULL;
CREATE INDEX stock_transfers_read ON recon.stock_transfers (read_at);
ALTER TABLE recon.stock_adjustments ADD COLUMN transfer_id bigint, ADD COLUMN told text NOT NULL DEFAULT '',
    DROP CONSTRAINT stock_adjustments_state_check, ADD CONSTRAINT stock_adjustments_state_check
        CHECK (state IN ('asked', 'sent', 'done', 'settled', 'withdrawn'));
DROP INDEX recon.stock_adjustments_look;
CREATE INDEX stock_adjustments_look ON recon.stock_adjustments (look_at) WHERE state IN ('asked', 'sent');
CREATE INDEX stock_adjustments_sent ON recon.stock_adjustments (transfer_id) WHERE state = 'sent';
"""
DOWN = """
UPDATE recon.stock_adjustments SET state = 'withdrawn', ended_at = asked_at WHERE state = 'sent';
DROP INDEX recon.stock_adjustments_sent, recon.stock_adjustments_look;
CREATE INDEX stock_adjustments_look ON recon.stock_adjustments (look_at) WHERE state = 'asked';
ALTER TABLE recon.stock_adjustments DROP COLUMN transfer_id, DROP COLUMN told,
    DROP CONSTRAINT stock_adjustments_state_check, ADD CONSTRAINT stock_adjustments_state_check
        CHECK (state IN ('asked', 'done', 'settled', 'withdrawn'));
DROP TABLE recon.stock_transfers, recon.stock_files;
"""


def upgrade() -> None:
    """Add them."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them."""
    op.execute(DOWN)
