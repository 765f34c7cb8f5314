#!/bin/sh
# Starts Holdfast. Arguments of this script are passed on to workerd.
#
#   HOLDFAST_DATA      the folder with the runs; created if it does not exist (default: data, in the current folder)
#   HOLDFAST_ADDRESS   the address to listen on (default: 127.0.0.1:8787)
#   API_TOKENS         the tokens of the API, separated by commas
#   ENVIRONMENT        the environment of new runs (default: production)
#   PUBLIC_URL         the URL of the API, as browsers use it, for example https://flows.example (default: relative URLs)
#   ALLOWED_ORIGINS    other origins whose pages may call the API, separated by commas (default: none)
#   URL_KEYS           keys of the URLs of public tokens, the newest first, separated by commas (default: a stored key)
#   EXECUTIONS_MAX     how many runs may execute when an alarm begins another one (default: 200)
#   DUE_PER_SECOND     after a stop with more than 500 due runs: how many of the others begin in a second (default: 50)
#   HOLD               true: serves the API and begins no execution (docs/how-to/debug-a-stuck-run.md)
#   RETENTION          how long ended runs are stored, for example 30d (default: until they are deleted)
#   REV                the time of this version, for the limits and schedules that it declares (default: the start)
#   LIMITS             limits that differ from the defaults, as JSON: docs/limits.md
#   OTLP_URL           the URL of an OpenTelemetry collector (optional); OTLP_HEADERS: its headers as JSON
set -eu

# Turns each line of its input into a line of the log, with the level $1. A text of another program must not become a line
# that it did not write: all of it is put into `message`. What workerd says about its socket lacks the address, $2.
to_log() {
  LC_ALL=C awk -v level="$1" -v address="${2-}" '
    BEGIN { for (code = 1; code < 32; code++) escaped[sprintf("%c", code)] = sprintf("\\u%04x", code) }
    {
      if (address != "" && /^Socket "http": /) $0 = $0 ". HOLDFAST_ADDRESS is " address
      gsub(/\\/, "\\\\"); gsub(/"/, "\\\"")
      text = ""
      while (match($0, /[\001-\037]/)) {
        text = text substr($0, 1, RSTART - 1) escaped[substr($0, RSTART, 1)]
        $0 = substr($0, RSTART + 1)
      }
      clock = "date -u +%Y-%m-%dT%H:%M:%SZ"
      clock | getline time
      close(clock)
      printf "{\"time\":\"%s\",\"level\":\"%s\",\"message\":\"%s\"}\n", time, level, text $0
      fflush()
    }'
}
log() { printf '%s\n' "$2" | to_log "$1" >&2; }

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
data=${HOLDFAST_DATA:-data}
address=${HOLDFAST_ADDRESS:-127.0.0.1:8787}
# Data, tokens and keys are readable by this user only.
umask 077
fail() {
  log error "holdfast: $1"
  exit 1
}
made=$(mkdir -p -- "$data" 2>&1) || fail "the folder for the runs cannot be made: $made. Set HOLDFAST_DATA to another one."
[ -w "$data" ] && [ -x "$data" ] || fail "this user may not write into $data, or its disk is read-only. Change its owner, or set HOLDFAST_DATA to another folder."
[ ! -e "$data/../dev.json" ] || fail "holdfast dev made $data and may execute its runs. Set HOLDFAST_DATA to another folder, or to a copy."
# workerd takes a number alone for an address of four bytes.
# One run of another user, such as of a back-up that root restored, would end the process or fail for ever.
foreign=$(cd -- "$data" && find .lock holdfast-* \( ! -readable -o ! -writable \) -print -quit 2>/dev/null) || true
[ -z "$foreign" ] || fail "this user may not read and write $data/$foreign. Give it all files: chown -R $(id -u) $data"
case $address in
*[!0-9]*) ;;
*) fail "HOLDFAST_ADDRESS must have a host and a port, such as 127.0.0.1:8787, and is $address" ;;
esac
# restore.sh starts Holdfast to visit the runs. Before that is complete, some have no alarm.
if [ -e "$data/.restoring" ] && [ -z "${HOLDFAST_RESTORING:-}" ]; then
  log error "holdfast: $data is not completely restored. Run restore.sh again."
  exit 1
fi

# Two processes would execute the same runs, so this process takes a lock. It becomes workerd (exec), and the lock is
# released when workerd ends.
if command -v flock >/dev/null; then
  made=$({ touch -- "$data/.lock" && mkdir -p -- "$data/holdfast-runs"; } 2>&1) || fail "no file can be made in $data: $made"
  exec 9>"$data/.lock"
  flock -n 9 || fail "another process uses $data. Stop it: its lock ends with it."
  # A lock that somebody deletes by hand looks free. Without this folder the other process could not work.
  exec 7<"$data/holdfast-runs"
  flock -n 7 || [ $? -ne 1 ] || fail "another process uses $data, although its file .lock is gone. Stop it."
  # The lock of restore.sh: from now on the other one tells it that this process executes.
  [ -z "${HOLDFAST_RESTORING:-}" ] || exec 8<&-
  # A run that was deleted, each name that was asked for without a run, and an event, topic, window or limit that was
  # forgotten, leave a file of one page without tables. The page has no cells then: type 0d, count 0. Earlier versions left
  # a second page, and one cell: the table _cf_METADATA, which has only the alarm. A file with a log (-wal) that is not empty
  # is left alone. Without the lock, another process might have such a file open.
  for objects in holdfast-runs holdfast-coordinators; do if [ -d "$data/$objects" ]; then (
    cd -- "$data/$objects"
    names=../.empty-names
    heads=../.empty-heads
    trap 'rm -f "$names" "$heads"' EXIT
    find . -maxdepth 1 -type f -name '*.sqlite' ! -name metadata.sqlite \( -size 4096c -o -size 8192c \) >"$names"
    count=$(wc -l <"$names")
    # If any file gives another number of bytes, names and bytes do not belong together.
    if [ "$count" -gt 0 ] && xargs head -q -c 108 <"$names" >"$heads" && [ "$(wc -c <"$heads")" -eq $((108 * count)) ]; then
      od -A n -v -t x1 -w108 "$heads" | paste -d ' ' - "$names" |
        awk '$101 == "0d" && $104 == "00" && ($105 == "00" || $105 == "01") { print $105, $109 }' |
        while read -r cells file; do if [ "$cells" = 00 ] || grep -qF _cf_METADATA "$file"; then echo "$file"; fi; done |
        while IFS= read -r file; do [ -s "$file-wal" ] || printf '%s\n%s\n%s\n' "$file" "$file-wal" "$file-shm"; done |
        xargs rm -f
    fi
  ) 2>/dev/null || log warn "holdfast: files without tables could not be removed; this is harmless"; fi; done
fi

# Each run in memory needs three open files and some 0.3 MB, and its steps need more. workerd loads every object whose alarm
# is due before it answers a request. So of the alarms that are due, the first 500 stay, and the others get later times, in their
# order: DUE_PER_SECOND of them a second. The time that a run itself has for its alarm stays as it is (DUR13).
ulimit -S -n "$(ulimit -H -n)" || true
limit=$(ulimit -S -n)
at_once=500
per_second=${DUE_PER_SECOND:-50}
case $per_second in
'' | *[!0-9]* | 0*)
  log error "holdfast: DUE_PER_SECOND must be a whole number above 0, not $per_second"
  exit 1
  ;;
esac
# An object leaves memory after ten seconds. On a slow machine some of them overlap.
loaded_most=$((at_once + 50 * per_second))
all_due=0
loaded=0

# Spreads the alarms of the folder $1, whose objects the log calls $2.
spread() {
  [ -f "$data/$1/metadata.sqlite" ] || return 0
  # Without a home directory sqlite3 writes a warning, which is no line of the log.
  due=$(HOME=/ sqlite3 -batch -bail -init /dev/null "$data/$1/metadata.sqlite" "
    begin immediate;
    create temp table due (actor_id text primary key, place integer) without rowid;
    insert into due select actor_id, row_number() over (order by scheduled_time) from _cf_ALARM
      where scheduled_time <= (strftime('%s', 'now') + 60) * 1000000000;
    update _cf_ALARM set scheduled_time = max(scheduled_time, strftime('%s', 'now') * 1000000000 +
      (select place - $at_once from due where due.actor_id = _cf_ALARM.actor_id) * (1000000000 / $per_second))
      where actor_id in (select actor_id from due where place > $at_once);
    select count(*) from due;
    commit;" 2>&1) || {
    case $due in
    *'not a database'* | *malformed*)
      log error "holdfast: $data/$1/metadata.sqlite, which has the alarms of $2, is damaged. Restore a back-up, or follow \"Without the scripts\" of docs/how-to/backup.md. $due"
      exit 1
      ;;
    esac
    log warn "holdfast: the $2 that are due cannot be counted: $due"
    due=0
  }
  if [ "$due" -gt "$at_once" ]; then
    log info "holdfast: $due $2 are due. $at_once of them begin now, and the others in their order, $per_second a second."
  fi
  all_due=$((all_due + due))
  loaded=$((loaded + (due < loaded_most ? due : loaded_most)))
}

if command -v sqlite3 >/dev/null && command -v flock >/dev/null; then
  spread holdfast-runs runs
  spread holdfast-coordinators 'limits, schedules, events and windows'
  spread holdfast-index 'shards of the index'
  needed=$((3 * loaded + 2000))
  if [ "$all_due" -gt 0 ] && [ "$limit" != unlimited ] && [ "$needed" -gt "$limit" ]; then
    log error "holdfast: $all_due alarms are due, which needs $needed open files, and the limit is $limit. Raise the hard limit (systemd: LimitNOFILE=$needed; a shell of root: ulimit -n $needed), or set a lower DUE_PER_SECOND, then start again."
    exit 1
  fi
elif [ -f "$data/holdfast-runs/metadata.sqlite" ]; then
  log warn "holdfast: sqlite3 or flock is not installed, so all runs that are due begin at once. If workerd does not start, raise the limit of open files, which is $limit."
fi
# At most so many runs execute because of alarms at a time: their steps open files and connections too.
export EXECUTIONS_MAX="${EXECUTIONS_MAX:-200}"

HOLDFAST_STARTED=$(date -u +%Y-%m-%dT%H:%M:%SZ)
export HOLDFAST_STARTED

# What workerd itself writes is text. The process that makes lines of it ends when workerd has ended, and holds no lock.
errors=$data/.errors
rm -f -- "$errors"
made=$(mkfifo -- "$errors" 2>&1) || fail "no file can be made in $data: $made"
(
  trap '' HUP INT TERM
  to_log error "$address" <"$errors" >&2
) 7<&- 9>&- &
exec 2>"$errors"
rm -f -- "$errors"

exec "$here/holdfast" --socket-addr "http=$address" --directory-path "data=$data" "$@"
