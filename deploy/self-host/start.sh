#!/bin/sh
# Starts Holdfast; what is given to this script is passed on to workerd.
#
#   HOLDFAST_DATA      the folder with the runs; made if it is not there (default: data, where this was called)
#   HOLDFAST_ADDRESS   where it listens (default: 127.0.0.1:8787)
#   API_TOKENS         who may call the API: tokens, separated by commas
#   ENVIRONMENT        what runs are marked with (default: production)
#   RETENTION          how long ended runs are kept, for example 30d (default: until they are deleted)
#   LIMITS             limits other than the default, as JSON: docs/limits.md
#   OTLP_URL           an OpenTelemetry collector, if there is one; OTLP_HEADERS: headers for it as JSON
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
data=${HOLDFAST_DATA:-data}
address=${HOLDFAST_ADDRESS:-127.0.0.1:8787}
mkdir -p -- "$data"

# Each run in memory takes three open files, and its steps take more. With the usual 1,024 workerd does not even start if
# some hundred runs fell due while it was down.
ulimit -S -n "$(ulimit -H -n)" || true

# Two processes would execute the same runs. The lock is held by this process, which becomes workerd, and ends with it.
if command -v flock >/dev/null; then
  exec 9>"$data/.lock"
  flock --nonblock 9 || { echo "holdfast: another process uses $data" >&2; exit 1; }
fi

exec "$here/holdfast" --socket-addr "http=$address" --directory-path "data=$data" "$@"
