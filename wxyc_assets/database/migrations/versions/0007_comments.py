"""The comments of our tables and functions in plain English."""

from alembic import op

from wxyc_assets.database.migrations.scripts import execute_script

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Write them."""
    execute_script(op.get_bind(), "0007_upgrade")


def downgrade() -> None:
    """Keep them: they describe the schema of the revision before as well."""
