-- select_revision: the revision of our schema, no row when it is empty.
SELECT version_num FROM wxyc_assets.alembic_version
