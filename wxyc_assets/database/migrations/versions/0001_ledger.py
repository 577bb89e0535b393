"""Runs, tallies, quarantine, the shared budget, the alert outbox, and what libraries are eligible."""

from alembic import op

from wxyc_assets.database.migrations.scripts import execute_script

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the ledger."""
    execute_script(op.get_bind(), "0001_upgrade")


def downgrade() -> None:
    """Drop the ledger; the schema itself stays, it may belong to the station's administrator."""
    execute_script(op.get_bind(), "0001_downgrade")
