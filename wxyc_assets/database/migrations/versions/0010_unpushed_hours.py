"""The hours whose changed bills have not reached the customers' invoices."""

from alembic import op

from wxyc_assets.database.migrations.scripts import execute_script

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    execute_script(op.get_bind(), "0010_upgrade")


def downgrade() -> None:
    """Drop them."""
    execute_script(op.get_bind(), "0010_downgrade")
