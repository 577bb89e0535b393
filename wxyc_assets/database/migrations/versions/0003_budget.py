"""The last minute of the shared budget, and what a run still expects of it."""

from alembic import op

from wxyc_assets.database.migrations.scripts import execute_script

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    execute_script(op.get_bind(), "0003_upgrade")


def downgrade() -> None:
    """Drop them."""
    execute_script(op.get_bind(), "0003_downgrade")
