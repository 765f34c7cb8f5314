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
# A signal ends `wait` too, with a status of its own.
while kill -0 "$child" 2>/dev/null; do
  status=0
  wait "$child" || status=$?
done
# Holdfast may have ended between such a `wait` and the look at it. 127: its status is the one that was read.
last=0
wait "$child" || last=$?
[ "$last" -eq 127 ] || status=$last
sleep 1
exit "$status"
