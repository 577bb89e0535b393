"""The memory of albums without a match, and which albums are pending."""

from alembic import op

from wxyc_assets.database.migrations.scripts import execute_script

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make what album_metadata needs."""
    execute_script(op.get_bind(), "0002_upgrade")


def downgrade() -> None:
    """Drop it."""
    execute_script(op.get_bind(), "0002_downgrade")
