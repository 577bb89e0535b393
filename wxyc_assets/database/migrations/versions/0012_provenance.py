"""The organisation of a billed row in the ledger of changes, and what LML answered about each input."""

from alembic import op

from wxyc_assets.database.migrations.scripts import execute_script

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    execute_script(op.get_bind(), "0012_upgrade")


def downgrade() -> None:
    """Drop them."""
    execute_script(op.get_bind(), "0012_downgrade")
