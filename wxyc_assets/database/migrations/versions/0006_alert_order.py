"""The order of Dagster's storage in the alerts, and what Sentry has of each."""

from alembic import op

from wxyc_assets.database.migrations.scripts import execute_script

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    execute_script(op.get_bind(), "0006_upgrade")


def downgrade() -> None:
    """Drop it."""
    execute_script(op.get_bind(), "0006_downgrade")
