#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The schema beside QEMU's: what clients of that know holds here. See
# compare-schema.py, which is tested, too: it notices what differs.
# Needs FLATVIEW and SRC_PATH, which make check sets.

command -v python3 >/dev/null || { echo "SKIP: no python3"; exit 77; }
command -v qemu-system-x86_64 >/dev/null || { echo "SKIP: no qemu-system-x86_64"; exit 77; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
number=0

point() {
    number=$((number + 1))
    if [ "$1" = 0 ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
        sed 's/^/# /' "$scratch/out"
    fi
}

# The schema of "$@", in lines of one entity each, to make changes by sed. QEMU
# drops what a pipe does not take when it ends.
schema() {
    printf '%s\n' '{"execute":"qmp_capabilities"}' \
        '{"execute":"query-qmp-schema"}' '{"execute":"quit"}' |
        timeout 60 "$@" -display none -nodefaults -qmp stdio >"$scratch/raw" \
            2>"$scratch/err"
    python3 -c '
import json, sys
for line in sys.stdin:
    found = json.loads(line).get("return") if line.strip() else None
    if isinstance(found, list):
        print("[" + ",\n".join(json.dumps(e) for e in found) + "]")' <"$scratch/raw"
}

compare() {
    python3 "$SRC_PATH/tests/qmp/compare-schema.py" "$scratch/$1" "$scratch/qemu" \
        >"$scratch/out" 2>&1
}

# notices WHAT SED-PROGRAM MESSAGE: ours changed so differs, in these words.
notices() {
    sed "$2" "$scratch/ours" >"$scratch/changed"
    ! cmp -s "$scratch/ours" "$scratch/changed" && ! compare changed &&
        grep -q -e "$3" "$scratch/out"
    point $? "noticed: $1"
}

echo 1..8
schema "$FLATVIEW" -M none -accel qtest >"$scratch/ours"
schema qemu-system-x86_64 -M none >"$scratch/qemu"
compare ours
point $? "clients of QEMU's commands, arguments and results are served"
compare qemu
point $? "QEMU's schema agrees with itself"

notices "a result without a member" \
    '/"name": "StatusInfo"/s/{"name": "running", "type": "bool"}, //' \
    "query-status result: 'running' is missing"
notices "a result of another type" \
    '/"name": "StatusInfo"/s/"name": "running", "type": "bool"/"name": "running", "type": "int"/' \
    "query-status result.running: int, not boolean"
notices "a member of a result that may be missing" \
    '/"name": "StatusInfo"/s/"type": "bool"/"type": "bool", "default": null/' \
    "query-status result: 'running' may be missing"
notices "an argument of another name" \
    '/"name": "memsave-arg"/s/"val"/"value"/' \
    "memsave arguments: no client knows the member 'value'"
notices "an argument that must be there" \
    '/"name": "memsave-arg"/s/, "default": null//' \
    "memsave arguments: 'cpu-index' must be there"
notices "a value that no client knows" \
    '/"name": "RunState"/s/"prelaunch"/"before"/g' \
    "query-status result.status: no client knows the value 'before'"
