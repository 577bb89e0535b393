"""Work is refused unless our schema is at the revision that the code needs."""

import pytest

from resources.postgres import Postgres
from wxyc_assets.database import migrations
from wxyc_assets.database.migrate import migrate
from wxyc_assets.database.revision import MigrationError, require_migrated, stored_revision


def test_work_is_refused_until_our_schema_is_there(database):
    postgres = Postgres(database)
    with postgres.connect() as connection:
        assert stored_revision(connection) is None
        with pytest.raises(MigrationError, match="does not exist yet: run `wxyc migrate`"):
            require_migrated(connection)
        migrate(postgres)
        assert stored_revision(connection) == migrations.HEAD
        require_migrated(connection)


def test_work_is_refused_at_another_revision(station):
    with station.connect() as connection:
        connection.execute("UPDATE wxyc_assets.alembic_version SET version_num = '0001'")
        with pytest.raises(MigrationError, match=f"is at revision 0001, this program needs {migrations.HEAD}"):
            require_migrated(connection)
