#!/bin/sh
# The first process of a container: starts Holdfast by start.sh.
#
# When the first process of a container ends, all others are killed, and the last lines of the log would be lost: the reason
# of a failed start. So this one passes signals on, and ends a second after Holdfast.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

"$here/start.sh" "$@" &
child=$!
trap 'kill -TERM "$child"' HUP INT TERM

status=0
# A signal ends `wait` too.
while kill -0 "$child" 2>/dev/null; do
  status=0
  wait "$child" || status=$?
done
sleep 1
exit "$status"
