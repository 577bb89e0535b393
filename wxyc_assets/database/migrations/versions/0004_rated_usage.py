"""The money ledger: every change of a billed row."""

from alembic import op

from wxyc_assets.database.migrations.scripts import execute_script

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    execute_script(op.get_bind(), "0004_upgrade")


def downgrade() -> None:
    """Drop it."""
    execute_script(op.get_bind(), "0004_downgrade")
