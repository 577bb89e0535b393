"""The delivery of alerts, and the state of partitions."""

from alembic import op

from wxyc_assets.database.migrations.scripts import execute_script

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    execute_script(op.get_bind(), "0005_upgrade")


def downgrade() -> None:
    """Drop it."""
    execute_script(op.get_bind(), "0005_downgrade")
