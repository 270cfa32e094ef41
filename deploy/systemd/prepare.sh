#!/bin/sh
# prepare.sh: makes, once, the secrets in /etc/control-plane and the two roles and the
# database in the Postgres of this machine. The service's role owns no table, so that the
# ledger's rules bind it.
set -eu
etc=/etc/control-plane
[ ! -e "$etc/secret" ] || { echo "$etc/secret is there already" >&2; exit 1; }
umask 077
mkdir -p "$etc"

random() { openssl rand -hex 24; }

owner=$(random)
service=$(random)
at=127.0.0.1:5432/control_plane
runuser -u postgres -- psql -q -v ON_ERROR_STOP=1 <<END
CREATE ROLE control_plane_owner LOGIN PASSWORD '$owner';
CREATE ROLE control_plane LOGIN PASSWORD '$service';
CREATE DATABASE control_plane OWNER control_plane_owner;
END
echo "postgresql://control_plane_owner:$owner@$at" >"$etc/migrations_url"
echo "postgresql://control_plane:$service@$at" >"$etc/database_url"
echo "redis://127.0.0.1:6379/0" >"$etc/redis_url"
random >"$etc/secret"
