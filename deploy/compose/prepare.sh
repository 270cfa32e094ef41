#!/bin/sh
# prepare.sh HOST: makes, once, the secrets that compose.yaml names, and nginx.conf for
# this host. Containers read secrets as users of their own, so the files are open and
# their folder is not.
set -eu
host=${1:?usage: prepare.sh HOST}
cd "$(dirname "$0")"
[ ! -e secrets ] || { echo "secrets/ is there already" >&2; exit 1; }
umask 022

sed -e "s/api\.lomilive\.com/$host/g" \
    -e "s#/etc/letsencrypt/live/$host/#/etc/nginx/certificates/#" \
    -e "s#127\.0\.0\.1:8080#api:8080#" -e "s#127\.0\.0\.1:888#mediamtx:888#" \
    -e "s#/var/log/nginx/control-plane\.log#/dev/stdout#" \
    -e "s#/var/log/nginx/control-plane-error\.log#/dev/stderr#" \
    ../nginx/control-plane.conf >nginx.conf
echo "HOST=$host" >.env

random() { openssl rand -hex 24; }

mkdir -m 700 secrets
cd secrets
random >secret
random >owner_password
random >service_password
password=$(random)
echo "redis://:$password@valkey:6379/0" >redis_url
cat >valkey.conf <<END
requirepass $password
save ""
dir /tmp
maxmemory-policy noeviction
END
at=postgres:5432/control_plane
echo "postgresql://control_plane:$(cat service_password)@$at" >database_url
echo "postgresql://control_plane_owner:$(cat owner_password)@$at" >migrations_url
