"""Links between Credit Notes and returns, each with its share, its pass, when and by whom; and what a person refused.

Belongs here: ``recon.note_links`` and ``recon.link_refusals``. ``khaos.credit_notes.return_id`` stays: the return that
has the note, or what the shares of others leave of it. Links made before carry the moment of this migration.
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE recon.note_links (
    credit_note_code text NOT NULL,
    return_id text NOT NULL,
    matched_by text NOT NULL,
    certainty text NOT NULL DEFAULT 'certain' CHECK (certainty = 'certain'),
    share_pence bigint CHECK (share_pence >= 0),
    linked_at timestamptz NOT NULL,
    linked_by text NOT NULL,
    PRIMARY KEY (credit_note_code, return_id)
);
CREATE UNIQUE INDEX note_links_rest ON recon.note_links (credit_note_code) WHERE (share_pence) IS NULL;
CREATE INDEX note_links_return ON recon.note_links (return_id);
CREATE INDEX note_links_newest ON recon.note_links (linked_at);
CREATE TABLE recon.link_refusals (
    credit_note_code text NOT NULL,
    return_id text NOT NULL,
    refused_by text NOT NULL,
    reason text NOT NULL,
    refused_at timestamptz NOT NULL,
    PRIMARY KEY (credit_note_code, return_id)
);
INSERT INTO recon.note_links (credit_note_code, return_id, matched_by, linked_at, linked_by)
    SELECT credit_note_code, return_id, matched_by, now(), 'khaos-swap' FROM khaos.credit_notes
    WHERE return_id IS NOT NULL;
"""


def upgrade() -> None:
    """Add the tables, with the links that stand."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP TABLE recon.note_links, recon.link_refusals")
