#!/bin/sh
# Run once, when the database is made: the service's own role owns no table, so that the
# ledger's rules bind it.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$(cat /run/secrets/service_password)" \
    --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'END'
CREATE ROLE control_plane LOGIN PASSWORD :'password';
END
