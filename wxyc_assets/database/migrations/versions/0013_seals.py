"""The chain of seals of rated hours."""

from alembic import op

from wxyc_assets.database.migrations.scripts import execute_script

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    execute_script(op.get_bind(), "0013_upgrade")


def downgrade() -> None:
    """Drop it."""
    execute_script(op.get_bind(), "0013_downgrade")
