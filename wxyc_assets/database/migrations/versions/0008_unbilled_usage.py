"""What rating has seen of each hour, the price books, and the usage that is not billed."""

from alembic import op

from wxyc_assets.database.migrations.scripts import execute_script

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    execute_script(op.get_bind(), "0008_upgrade")


def downgrade() -> None:
    """Drop them."""
    execute_script(op.get_bind(), "0008_downgrade")
