#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# socat, in the hands of a shell script, holds a session with a control monitor;
# prints TAP.
#
# Needs FLATVIEW, which make check sets.

if ! command -v socat >/dev/null; then
    echo "1..0 # SKIP socat is not installed"
    exit 0
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
socket=$scratch/qmp
number=0

point() { # WHAT COMMAND...: the command prints why it fails
    what=$1
    shift
    number=$((number + 1))
    if "$@" >"$scratch/why" 2>&1; then
        echo "ok $number - $what"
    else
        echo "not ok $number - $what"
        sed 's/^/# /' "$scratch/why"
    fi
}

# Send the commands to the monitor, after the negotiation; what it says.
enable=
session() { # COMMAND...
    {
        echo "{\"execute\": \"qmp_capabilities\", \"arguments\": {\"enable\": [$enable]}}"
        printf '%s\n' "$@"
    } | socat -t 10 - "UNIX-CONNECT:$socket"
}

has() { # TEXT COMMAND...
    text=$1
    shift
    session "$@" >"$scratch/said"
    cat "$scratch/said"
    grep -qF "$text" "$scratch/said"
}

ends() {
    wait "$program"
    status=$?
    echo "status $status"
    [ $status = 0 ]
}

"$FLATVIEW" -M microvm -accel qtest -nodefaults -display none -S \
    -qmp "unix:$socket,server=on,wait=off" &
program=$!
tries=0
while [ ! -S "$socket" ] && [ $tries -lt 100 ]; do
    sleep 0.1
    tries=$((tries + 1))
done

point "a greeting" has '{"QMP": {"version": {"qemu": {'
point "a reply" has '"status": "prelaunch"' '{"execute": "query-status"}'
point "an id" has '{"return": {}, "id": [1, "a"]}' \
    '{"execute": "cont", "id": [1, "a"]}'
point "an event" has '"event": "STOP"' '{"execute": "stop"}'
enable='"oob"'
point "out of band" has '"running": false}, "id": "o"}' '{"exec-oob": "query-status", "id": "o"}'
point "not out of band" has 'The command query-name does not support OOB' \
    '{"exec-oob": "query-name"}'
enable=
point "an error" has '{"error": {"class": "CommandNotFound", ' '{"execute": "no"}'
point "the end" has '"reason": "host-qmp-quit"' '{"execute": "quit"}'
point "the program ends" ends
echo "1..$number"
