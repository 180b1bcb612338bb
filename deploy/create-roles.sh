#!/bin/sh
# Run once by the image of PostgreSQL, in an empty data folder: the three roles with the passwords that the settings name.
# "tenantry db setup" gives them their rights, and keeps passwords that are there.
set -eu
psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
  --set owner="$OWNER_PASSWORD" --set app="$APP_PASSWORD" --set system="$SYSTEM_PASSWORD" <<'SQL'
create role tenantry_owner login password :'owner';
create role tenantry_app login password :'app';
create role tenantry_system login password :'system';
SQL
