#!/bin/sh
# Restores a back-up of backup.sh into an empty folder: restore.sh BACKUP
#
# It copies the files, starts Holdfast with HOLD=true on a port of this machine that nobody knows, visits each run once, and
# stops Holdfast. Each run then sets its alarm again, sends the messages again that others may have lost, and reports to the
# index. Afterwards start Holdfast as usual. After an interruption, repeat the command: until it is done, start.sh refuses
# to start. Set the same variables as for start.sh.
#
#   HOLDFAST_DATA      the folder to restore to: empty, or not there (default: data, in the current folder). It may be the
#                      root of a disk, with its lost+found
set -eu
fail() {
  echo "holdfast: $*" >&2
  exit 1
}
# Without the settings of a user, which may change what these programs print, or where a request goes.
sqlite() { sqlite3 -batch -init /dev/null "$@"; }

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
[ $# -eq 1 ] || fail "restore.sh needs one argument: the folder of the back-up."
[ -f "$1/manifest.json" ] || fail "$1 is no complete back-up: it has no manifest.json."
for tool in sqlite3 curl; do command -v "$tool" >/dev/null || fail "$tool is not installed, and restore.sh needs it."; done
backup=$(CDPATH='' cd -- "$1" && pwd)
manifest=$(cat "$backup/manifest.json")
number() { printf '%s\n' "$manifest" | sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p"; }
[ "$(number format)" = 1 ] || fail "a newer version wrote $backup. Restore it with the restore.sh of that version."
files=$(cd -- "$backup" && find holdfast-* -type f -name '*.sqlite' | wc -l)
[ "$files" -eq "$(number files)" ] || fail "$backup has $files files, and its manifest says $(number files)."

umask 077
data=${HOLDFAST_DATA:-data}
mkdir -p -- "$data"
data=$(CDPATH='' cd -- "$data" && pwd)
mark=$data/.restoring
if command -v flock >/dev/null; then
  # A process of an interrupted restoration may still copy files. start.sh has this lock until it has its own.
  exec 8<"$data"
  flock -w 10 8 || fail "another process restores to $data."
fi
if [ -e "$mark" ]; then
  [ "$(head -n 1 "$mark")" = "$manifest" ] || fail "another back-up is restored to $data. Complete that, or empty the folder."
elif [ -n "$(ls -A -- "$data" | grep -vx lost+found)" ]; then
  fail "$data is not empty. Move its files away, or restore to another folder."
fi

# Replaces the mark: the manifest, and how far this script is.
note() {
  printf '%s\n%s\n' "$manifest" "$1" >"$mark.new"
  mv -- "$mark.new" "$mark"
  sync -f "$mark" 2>/dev/null || sync
}

# The processes of an interrupted restoration have the lock of start.sh.
holders() {
  for process in /proc/[0-9]*; do
    if [ "$process/fd/9" -ef "$data/.lock" ]; then echo "${process#/proc/}"; fi
  done
}
tries=0
while old=$(holders) && [ -n "$old" ]; do
  # Several numbers.
  # shellcheck disable=SC2086
  kill $old 2>/dev/null || true
  tries=$((tries + 1))
  [ "$tries" -le 100 ] || fail "the process $old of an interrupted restoration does not end. Kill it, then run restore.sh again."
  sleep 0.1
done

# Sets the alarms of schedules, events, topics, windows and limits to the times in their own files: those in the back-up are of
# later moments, at which a window has started its run, for example.
set_alarms() {
  [ -f "$data/holdfast-coordinators/metadata.sqlite" ] || return 0
  (
    cd -- "$data/holdfast-coordinators"
    # Prints what the statement $1 selects in each file whose id is read. & is the id.
    select_in_each() { sed "s#.*#ATTACH 'file:&.sqlite?immutable=1' AS one; SELECT $1; DETACH one;#"; }
    find . -maxdepth 1 -type f -name '*.sqlite' ! -name metadata.sqlite | sed 's|^\./||; s|\.sqlite$||' |
      select_in_each "'&' FROM one.sqlite_master WHERE name = '_cf_METADATA'" >"$mark.all"
    # An object that never had an alarm has no table for it.
    sqlite -bail "file::memory:" <"$mark.all" >"$mark.ids"
    insert="INSERT INTO _cf_ALARM (actor_id, scheduled_time) VALUES (''&'', ' || value || ')"
    insert="$insert ON CONFLICT (actor_id) DO UPDATE SET scheduled_time = excluded.scheduled_time;"
    select_in_each "'$insert' FROM one._cf_METADATA WHERE key = 1 AND value IS NOT NULL" <"$mark.ids" >"$mark.all"
    echo "BEGIN;" >"$mark.alarms"
    sqlite -bail "file::memory:" <"$mark.all" >>"$mark.alarms"
    echo "COMMIT;" >>"$mark.alarms"
    sqlite -bail metadata.sqlite <"$mark.alarms"
  )
  rm -f -- "$mark.ids" "$mark.all" "$mark.alarms"
}

# One damaged file would end the restoration in its middle, and an empty one would lose its run without a word.
refuse_damaged() {
  (
    cd -- "$backup"
    find holdfast-* -type f -name '*.sqlite' | sort >"$mark.all"
    # Prints the name of each file that is whole. An error ends one statement.
    find holdfast-* -type f -name '*.sqlite' -size +0 | sed "s#.*#ATTACH 'file:&?immutable=1' AS one; SELECT '&' FROM pragma_quick_check(1, 'one') WHERE quick_check = 'ok'; DETACH one;#" |
      sqlite "file::memory:" 2>/dev/null | sort | comm -23 "$mark.all" - >"$mark.damaged" || true
  )
  count=$(wc -l <"$mark.damaged")
  names=$(head -n 5 "$mark.damaged" | tr '\n' ' ')
  rm -f -- "$mark.all" "$mark.damaged"
  [ "$count" -eq 0 ] || fail "$count files of $backup are damaged, such as $names. Restore another back-up. To restore without them, move them away and set \"files\" in manifest.json to $((files - count))."
}

if [ "$(sed -n 2p "$mark" 2>/dev/null)" != copied ]; then
  refuse_damaged
  note copying
  rm -rf -- "$data/holdfast-runs" "$data/holdfast-index" "$data/holdfast-coordinators"
  needed=$(du -sk -- "$backup" | cut -f 1)
  free=$(df -Pk -- "$data" | awk 'NR == 2 { sub(/ +[0-9-]+%.*/, ""); print $NF }')
  [ "$free" -gt "$needed" ] || fail "$data needs more than $needed kB, and $free kB are free. Free some and run restore.sh again, or restore to another disk."
  cp -R -- "$backup/holdfast-runs" "$backup/holdfast-index" "$data/"
  [ ! -d "$backup/holdfast-coordinators" ] || cp -R -- "$backup/holdfast-coordinators" "$data/"
  set_alarms
  # Each run sets its alarm again. Runs that are not in the back-up have none.
  if [ -f "$data/holdfast-runs/metadata.sqlite" ]; then
    sqlite "$data/holdfast-runs/metadata.sqlite" "DELETE FROM _cf_ALARM"
  fi
  # The index has runs of later moments. It keeps what is not in the runs: its list of shards, and the key of public URLs.
  for file in "$data"/holdfast-index/*.sqlite; do
    [ -s "$file" ] || continue
    sqlite "$file" "SELECT 'DELETE FROM ' || name || ';' FROM sqlite_master
      WHERE type = 'table' AND name IN ('runs', 'tags', 'removed', 'facts')" >"$mark.index"
    sqlite "$file" <"$mark.index"
  done
  rm -f -- "$mark.index"
  sync -f "$mark" 2>/dev/null || sync
  note copied
fi

# A name of its own: requests of an interrupted restoration may still write to theirs.
work=$data/.restoring-work.$$
rm -rf -- "$data"/.restoring-work.* || true
mkdir -p -- "$work"
log=$data/.restoring-log
port=$work/port
: >"$port"
token=$(od -A n -N 32 -t x1 /dev/urandom | tr -d ' \n')
# Other users can read the arguments of a process.
echo "header = \"Authorization: Bearer $token\"" >"$work/curl"
HOLD=true API_TOKENS=$token HOLDFAST_DATA=$data HOLDFAST_ADDRESS=127.0.0.1:0 HOLDFAST_RESTORING=true \
  "$here/start.sh" --control-fd 3 3>"$port" >"$log" 2>&1 &
process=$!
stop() {
  kill "$process" 2>/dev/null || true
  wait "$process" 2>/dev/null || true
  rm -rf -- "$data"/.restoring-work.* || true
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# The process that writes the log ends after the one whose end it reports.
writes_log() {
  for process in /proc/[0-9]*; do
    if [ "$process/fd/2" -ef "$log" ]; then return 0; fi
  done
  return 1
}
end_of_log() {
  tries=0
  while writes_log && [ "$tries" -lt 50 ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
  tail -n 3 "$log"
}
tries=0
until grep -q '"port"' "$port"; do
  kill -0 "$process" 2>/dev/null || fail "Holdfast did not start: $(end_of_log)"
  tries=$((tries + 1))
  [ "$tries" -le 600 ] || fail "Holdfast did not start within a minute: $(tail -n 3 "$log")"
  sleep 0.1
done
url=http://127.0.0.1:$(sed -n 's/.*"port": *\([0-9]*\).*/\1/p' "$port" | head -n 1)

# Visits the up to 100 objects whose ids are in the file $1. Prints how many of them have a run.
visit() {
  awk 'BEGIN { printf "{\"restored\":true,\"objectIds\":[" } { printf "%s\"%s\"", (NR > 1 ? "," : ""), $1 } END { print "]}" }' \
    "$1" >"$1.body"
  tries=0
  until [ "$(curl -q -s --noproxy '*' -K "$work/curl" -o "$1.answer" -w '%{http_code}' -H 'Content-Type: application/json' \
    --data-binary "@$1.body" "$url/api/index/rebuild" || true)" = 202 ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 5 ] || fail "a run cannot be restored: $(cat "$1.answer" 2>/dev/null) See $log, then run restore.sh again."
    sleep 1
  done
  sed 's/.*"told":\([0-9]*\).*/\1/' "$1.answer"
}

# Each visit waits for the disk some times, so several requests are made at a time. A visited run and the object of its key
# have up to eight open files, for 10 s: with a low limit of open files, each turn takes some seconds.
size=100
pause=0
limit=$(ulimit -H -n)
if [ "$limit" != unlimited ]; then
  most=$((limit > 1032 ? (limit - 1000) / 8 : 4))
  [ "$most" -ge $((4 * size)) ] || size=$((most / 4))
  pause=$((13 * 4 * size / most))
fi
ids=$work/ids
find "$data/holdfast-runs" -maxdepth 1 -type f -name '*.sqlite' ! -name metadata.sqlite | sed 's|.*/||; s|\.sqlite$||' >"$ids"
count=$(wc -l <"$ids")
visited=0
done=0
shown=$(date +%s)
while [ "$done" -lt "$count" ]; do
  began=$(date +%s)
  pids=
  for part in 1 2 3 4; do
    sed -n "$((done + 1)),$((done + size))p;$((done + size))q" "$ids" >"$ids.$part"
    done=$((done + size))
    [ -s "$ids.$part" ] || continue
    visit "$ids.$part" >"$ids.$part.told" 8<&- &
    pids="$pids $!"
  done
  for pid in $pids; do wait "$pid" || exit 1; done
  for told in "$ids".*.told; do visited=$((visited + $(cat "$told"))); done
  rm -f -- "$ids".*.told
  now=$(date +%s)
  if [ "$done" -lt "$count" ] && [ "$now" -ge $((shown + 2)) ]; then
    echo "holdfast: $done of $count files are visited" >&2
    shown=$now
  fi
  while [ "$done" -lt "$count" ] && [ "$now" -ge "$began" ] && [ "$now" -lt $((began + pause)) ]; do
    sleep 1
    now=$(date +%s)
  done
done
stop
trap - EXIT
rm -f -- "$log"
sync -f "$mark" 2>/dev/null || sync
rm -f -- "$mark"
echo "holdfast: $visited runs of $count files are restored to $data. Start Holdfast: they continue within a minute." >&2
