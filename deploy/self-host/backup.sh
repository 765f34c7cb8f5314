#!/bin/sh
# Backs up the runs of Holdfast while it runs: backup.sh TARGET
#
# TARGET is a new folder. If it exists, it is complete: until then its name ends with .unfinished. After an interruption,
# repeat the command.
#
#   HOLDFAST_DATA      the folder with the runs (default: data, in the current folder)
#
# SQLite itself copies each file, so a copy is the state of a run at one moment. workerd does not wait for locks, so no lock
# is taken that could be in its way: an open file, which has a log (-wal), is read beside workerd. A closed file is read
# without locks, and again if it has changed since.
#
# The order: limits, schedules, events, topics and windows; then all runs; then what is new of the former, then the index, and
# the alarms (metadata.sqlite) last. So no copy is older than the beginning of the back-up. A run that a copied window,
# schedule or event has started is in the back-up, and so is an event that a copied run has sent.
set -eu
export LC_ALL=C
fail() {
  echo "holdfast: $*" >&2
  exit 1
}
# Without the settings of a user, which may change what it prints.
sqlite() { sqlite3 -batch -init /dev/null "$@"; }

data=${HOLDFAST_DATA:-data}
[ $# -eq 1 ] || fail "backup.sh needs one argument: the new folder of the back-up."
target=${1%"${1##*[!/]}"}
[ -n "$target" ] || fail "backup.sh needs the name of a new folder, not \"$1\"."
[ ! -e "$target" ] || fail "$target exists. Choose another name: a back-up is never overwritten."
[ -d "$data/holdfast-runs" ] || fail "there are no runs in $data. Set HOLDFAST_DATA to the folder with the runs."
[ ! -e "$data/.restoring" ] || fail "$data is not completely restored. Run restore.sh again."
command -v sqlite3 >/dev/null || fail "sqlite3 is not installed. Install version 3.27 or newer (Debian: apt-get install sqlite3)."
version=$(sqlite :memory: "SELECT sqlite_version()")
echo "$version" | awk -F . '{ exit !($1 > 3 || ($1 == 3 && $2 >= 27)) }' ||
  fail "sqlite3 $version is too old: VACUUM INTO needs version 3.27 or newer."

# Runs contain inputs, results and perhaps personal data.
umask 077
data=$(CDPATH='' cd -- "$data" && pwd)
mkdir -p -- "$target.unfinished"
unfinished=$(CDPATH='' cd -- "$target.unfinished" && pwd)
if command -v flock >/dev/null; then
  # A process of an interrupted back-up may still copy its last files.
  exec 8>"$unfinished.lock"
  flock -w 10 8 || fail "another process writes $unfinished."
fi
rm -rf -- "$unfinished"
work=$unfinished/work
mkdir -p -- "$work" "$unfinished/holdfast-runs" "$unfinished/holdfast-index"
trap 'rm -rf -- "$unfinished" "$unfinished.lock"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

needed=$(du -sk -- "$data" | cut -f 1)
free=$(df -Pk -- "$unfinished" | awk 'NR == 2 { sub(/ +[0-9-]+%.*/, ""); print $NF }')
[ "$free" -gt "$needed" ] || fail "$target may need $needed kB, and $free kB are free. Choose another disk."

quoted=$(printf %s "$unfinished" | sed "s/'/''/g")
started=$(date -u +%FT%TZ)
shown=$(date +%s)

# The sizes and times of the files whose names are read.
look() { xargs stat -c '%n %s %y' 2>/dev/null || true; }

# Prints the statements that copy the files whose names are read to the folder $1. A file without pages has no run.
statements() {
  printf '.timeout 10000\n.bail on\n'
  while IFS= read -r file; do
    if [ -s "$file-wal" ]; then
      how=mode=ro
    elif [ -s "$file" ]; then
      how=immutable=1
      echo "$file" >&3
    else
      continue
    fi
    echo "ATTACH 'file:$file?$how' AS run; PRAGMA run.synchronous = OFF; VACUUM run INTO '$quoted/$1/$file'; DETACH run; SELECT '$file';"
  done
}

# Copies files of the current folder to the folder $1. Their names are read from $work/names.
copy() {
  tries=0
  while [ -s "$work/names" ]; do
    tries=$((tries + 1))
    [ "$tries" -le 30 ] || fail "some files could not be copied, such as $data/$1/$(head -n 1 "$work/names"). $(sort -u "$work/errors" | head -n 3)"
    look <"$work/names" >"$work/before"
    statements "$1" <"$work/names" 3>"$work/closed" >"$work/statements"
    # Prints the name of each file that is copied, and ends at an error.
    sqlite "file::memory:" <"$work/statements" 2>"$work/errors" | sort >"$work/copied" || true
    look <"$work/names" >"$work/after"
    # A closed file that changed is copied again. What workerd does to an open file does not matter.
    sort "$work/before" "$work/after" | uniq -u | cut -d ' ' -f 1 | sort -u >"$work/changed"
    sort "$work/closed" | comm -12 - "$work/changed" | comm -23 "$work/copied" - >"$work/done"
    sort "$work/names" | comm -23 - "$work/done" >"$work/again"
    while IFS= read -r file; do
      rm -f -- "$unfinished/$1/$file"
      if [ -s "$file" ] || [ -s "$file-wal" ]; then echo "$file"; fi
    done <"$work/again" >"$work/names"
  done
}

# Copies the files of the folder $1 that have no copy yet, except the alarms, some hundreds at a time.
copy_folder() {
  [ -d "$data/$1" ] || return 0
  mkdir -p -- "$unfinished/$1"
  cd -- "$unfinished/$1"
  find . -maxdepth 1 -type f | sort >"$work/has"
  cd -- "$data/$1"
  find . -maxdepth 1 -type f -name '*.sqlite' ! -name metadata.sqlite | sort | comm -23 - "$work/has" | sed 's|^\./||' >"$work/all"
  count=$(wc -l <"$work/all")
  done=0
  while [ "$done" -lt "$count" ]; do
    sed -n "$((done + 1)),$((done + 500))p;$((done + 500))q" "$work/all" >"$work/names"
    done=$((done + 500))
    copy "$1"
    now=$(date +%s)
    if [ "$done" -lt "$count" ] && [ "$now" -ge $((shown + 2)) ]; then
      echo "holdfast: $done of $count files of $1 are copied" >&2
      shown=$now
    fi
  done
}

# Removes the copies in the folder $1 that have no rows: of deleted runs, and of ids that were asked for without a run.
remove_empty() {
  cd -- "$unfinished/$1"
  find . -maxdepth 1 -type f -name '*.sqlite' -size -17 |
    sed "s#.*#ATTACH 'file:&?immutable=1' AS one; SELECT '&' WHERE NOT EXISTS (SELECT 1 FROM one.sqlite_master WHERE name <> '_cf_METADATA'); DETACH one;#" |
    sqlite "file::memory:" | xargs rm -f
}

# A server of an earlier version has none.
copy_folder holdfast-coordinators
copy_folder holdfast-runs
copy_folder holdfast-coordinators
copy_folder holdfast-index
remove_empty holdfast-runs
# A name of a folder may have a line break, that of a file has none.
runs=$(cd -- "$unfinished/holdfast-runs" && find . -type f | wc -l)
for folder in holdfast-coordinators holdfast-index holdfast-runs; do
  [ -f "$data/$folder/metadata.sqlite" ] && [ -d "$unfinished/$folder" ] || continue
  cd -- "$data/$folder"
  echo metadata.sqlite >"$work/names"
  copy "$folder"
done
cd /
rm -rf -- "$work"
files=$(cd -- "$unfinished" && find . -type f | wc -l)
printf '{ "format": 1, "startedAt": "%s", "endedAt": "%s", "runs": %d, "files": %d }\n' \
  "$started" "$(date -u +%FT%TZ)" "$runs" "$files" >"$unfinished/manifest.json"
# The copies are on the disk before the folder has its name.
sync -f "$unfinished/manifest.json" 2>/dev/null || sync
parent=$(dirname -- "$unfinished")
name=$parent/$(basename -- "$target")
[ ! -e "$name" ] || fail "$name exists."
mv -- "$unfinished" "$name"
sync -f "$name/manifest.json" 2>/dev/null || sync
echo "holdfast: $name has $runs runs, as they were from $started on" >&2
