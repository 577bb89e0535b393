"""Who acknowledged an alert about money, and why."""

from alembic import op

from wxyc_assets.database.migrations.scripts import execute_script

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    execute_script(op.get_bind(), "0009_upgrade")


def downgrade() -> None:
    """Drop it."""
    execute_script(op.get_bind(), "0009_downgrade")
