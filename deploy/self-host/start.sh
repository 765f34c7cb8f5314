#!/bin/sh
# Starts Holdfast. Arguments of this script are passed on to workerd.
#
#   HOLDFAST_DATA      the folder with the runs; created if it does not exist (default: data, in the current folder)
#   HOLDFAST_ADDRESS   the address to listen on (default: 127.0.0.1:8787)
#   API_TOKENS         the tokens of the API, separated by commas
#   ENVIRONMENT        the environment of new runs (default: production)
#   HOLD               true: serves the API and begins no execution (docs/operations.md)
#   RETENTION          how long ended runs are stored, for example 30d (default: until they are deleted)
#   LIMITS             limits that differ from the defaults, as JSON: docs/limits.md
#   OTLP_URL           the URL of an OpenTelemetry collector (optional); OTLP_HEADERS: its headers as JSON
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
data=${HOLDFAST_DATA:-data}
address=${HOLDFAST_ADDRESS:-127.0.0.1:8787}
mkdir -p -- "$data"

# Each run in memory needs three open files, and its steps need more. With the usual limit of 1,024, workerd does not
# start if a few hundred runs became due while it was down.
ulimit -S -n "$(ulimit -H -n)" || true

# Two processes would execute the same runs, so this process takes a lock. It becomes workerd (exec), and the lock is
# released when workerd ends.
if command -v flock >/dev/null; then
  exec 9>"$data/.lock"
  flock --nonblock 9 || { echo "holdfast: another process uses $data" >&2; exit 1; }
fi

exec "$here/holdfast" --socket-addr "http=$address" --directory-path "data=$data" "$@"
