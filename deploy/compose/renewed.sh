#!/bin/sh
# renewed.sh: certbot starts it with each new certificate (--deploy-hook). Puts it where
# nginx reads it, and has nginx read it.
set -eu
cd "$(dirname "$0")"
umask 077
cp "$RENEWED_LINEAGE/fullchain.pem" "$RENEWED_LINEAGE/privkey.pem" certificates/
docker compose exec -T nginx nginx -s reload
