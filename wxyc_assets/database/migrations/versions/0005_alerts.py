"""How alerts are told, and how partitions stand."""

from alembic import op

from wxyc_assets.migrations.scripts import execute_script

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
