"""When a pending play was played."""

from alembic import op

from wxyc_assets.database.migrations.scripts import execute_script

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column to the function."""
    execute_script(op.get_bind(), "0011_upgrade")


def downgrade() -> None:
    """Return the function without it."""
    execute_script(op.get_bind(), "0011_downgrade")
