#!/bin/sh
# prepare.sh HOST: makes, once, the secrets that compose.yaml names, nginx.conf and .env for
# this host, and a certificate that nobody trusts, with which nginx starts until there is
# one. Containers read secrets as users of their own, so the files are open and their
# folder is not.
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
cat >.env <<END
HOST=$host
# Who may sign in: at least one of these. Client ids stand between blanks: "a b".
FIREBASE_PROJECT=
GOOGLE_CLIENT_IDS=
APPLE_CLIENT_IDS=
END

mkdir -p acme certificates
[ -e certificates/fullchain.pem ] ||
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
        -days 30 -subj "/CN=$host" \
        -keyout certificates/privkey.pem -out certificates/fullchain.pem

random() { openssl rand -hex 24; }

# Under its name only when it is whole: a failure leaves nothing in the way.
rm -rf secrets.new
mkdir -m 700 secrets.new
cd secrets.new
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
mv ../secrets.new ../secrets
