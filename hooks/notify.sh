#!/bin/sh
# Started by MediaMTX's runOn… settings. Everything outside of the shell that it needs
# is curl; or busybox wget and sleep; or GNU wget and sleep, cat and rm.
set -u

ATTEMPTS=3
TIMEOUT=2 # seconds, for each attempt: MediaMTX waits for its hooks when it stops

USAGE='usage: notify.sh EVENT URL

Tells the control plane what happened on this media node: POST to URL/EVENT, with the
node'"'"'s secret and the MTX_* variables of MediaMTX as NAME=value lines in the body.

  EVENT   ready or not_ready
  URL     http://<control plane>/hooks/mediamtx/<node>, without any secret

The secret comes from CONTROL_PLANE_HOOK_SECRET, or from the first line of the file
that CONTROL_PLANE_HOOK_SECRET_FILE names (mode 0600). It never is an argument of a
program, where the process list would show it.

Three attempts within 7 seconds. Ends with 0 when the control plane took the message,
else with 1 and one line on stderr. A lost message does no harm: the control plane
compares the lists of the node with its own every few seconds.'

NEWLINE='
'
RETURN=$(printf '\r')

fail() {
    echo "notify.sh: $1" >&2
    exit 1
}

read_secret() {
    secret=${CONTROL_PLANE_HOOK_SECRET-}
    file=${CONTROL_PLANE_HOOK_SECRET_FILE-}
    if [ -z "$secret" ] && [ -n "$file" ]; then
        [ -r "$file" ] || fail "CONTROL_PLANE_HOOK_SECRET_FILE names $file, which cannot be read"
        IFS= read -r secret <"$file" || :
    fi
    [ -n "$secret" ] || fail "CONTROL_PLANE_HOOK_SECRET or CONTROL_PLANE_HOOK_SECRET_FILE must give the secret"
    # What is started from here on has no use for it.
    unset CONTROL_PLANE_HOOK_SECRET
}

# Appends NAME=value to the body. A line end inside the value would begin a new line
# there, so the value is split at line ends and joined without them.
add() {
    name=$1
    set -f
    IFS=$NEWLINE$RETURN
    # shellcheck disable=SC2086 # splitting is the point
    set -- $2
    IFS=
    [ -z "$*" ] || body=${body:+$body$NEWLINE}$name=$*
    unset IFS
    set +f
}

# MTX_QUERY is left out on purpose: it may hold a stream key.
build_body() {
    body=
    add CONTROL_PLANE_HOOK_SECRET "$secret"
    add MTX_PATH "${MTX_PATH-}"
    add MTX_SOURCE_TYPE "${MTX_SOURCE_TYPE-}"
    add MTX_SOURCE_ID "${MTX_SOURCE_ID-}"
    add MTX_READER_TYPE "${MTX_READER_TYPE-}"
    add MTX_READER_ID "${MTX_READER_ID-}"
    add MTX_CONN_TYPE "${MTX_CONN_TYPE-}"
    add MTX_CONN_ID "${MTX_CONN_ID-}"
}

choose_sender() {
    if command -v curl >/dev/null 2>&1; then
        sender=curl
    elif ! command -v wget >/dev/null 2>&1 || ! command -v sleep >/dev/null 2>&1; then
        fail "neither curl nor wget (with sleep) is installed"
    else
        case $(wget --version 2>/dev/null) in
        *GNU*) sender=gnu_wget ;;
        *) sender=busybox_wget ;;
        esac
    fi
}

# The body goes through here-documents: printf is a program of its own in some shells,
# and its arguments would show.
send_curl() {
    curl -q -s -f -o /dev/null --max-time "$TIMEOUT" \
        -H 'Content-Type: text/plain' --data-binary @- "$url" 2>/dev/null <<EOF
$body
EOF
}

send_busybox_wget() {
    wget -q -O /dev/null --post-file=- "$url" 2>/dev/null <<EOF &
$body
EOF
    wait_for $!
}

# GNU wget wants to know the body's length before it reads, so not from a pipe: from a
# file that only we can read and that has no name any more when wget starts.
send_gnu_wget() {
    spool=${TMPDIR:-/tmp}/notify.$$
    umask 077
    # noclobber: a file or link that somebody put there is not written to.
    set -C
    cat 2>/dev/null >"$spool" <<EOF || return 1
$body
EOF
    set +C
    exec 3<"$spool"
    rm -f "$spool"
    wget --no-config -q -t 1 --max-redirect=0 -O /dev/null \
        --post-file=/dev/fd/3 "$url" 2>/dev/null &
    exec 3<&-
    wait_for $!
}

# Ends a wget that takes too long: busybox 1.35 crashes on its own time-out option.
wait_for() {
    ticks=$((TIMEOUT * 5))
    while kill -0 "$1" 2>/dev/null; do
        if [ "$ticks" -le 0 ]; then
            kill "$1"
            break
        fi
        # Some sleeps know whole seconds only.
        sleep 0.2 2>/dev/null || { sleep 1 && ticks=$((ticks - 4)); }
        ticks=$((ticks - 1))
    done
    # bash would tell that it was killed.
    wait "$1" 2>/dev/null
}

deliver() {
    attempt=1
    until "send_$sender"; do
        code=$?
        [ "$attempt" -lt "$ATTEMPTS" ] ||
            fail "$event of ${MTX_PATH-no path} was not delivered: $sender ended with $code"
        attempt=$((attempt + 1))
        sleep 0.3 2>/dev/null || sleep 1 2>/dev/null || :
    done
}

case ${1-} in
-h | --help)
    echo "$USAGE"
    exit 0
    ;;
esac
[ $# -eq 2 ] || fail "needs two arguments, EVENT and URL; see --help"
event=$1
url=${2%/}/$event
case $event in
'' | *[!a-z_]*) fail "$event is no event" ;;
esac
case $url in
http://* | https://*) ;;
*) fail "the URL must begin with http:// or https://" ;;
esac
# MediaMTX interrupts a start command that still runs when its stream ends. The message
# is due all the same; programs started from here on inherit this.
trap '' INT
# A proxy must not see the secret.
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
read_secret
build_body
choose_sender
deliver
