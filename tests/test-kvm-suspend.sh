#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/guest/suspend.c on KVM, started directly, and by SeaBIOS, which then wakes it: its
# clock wakes it, then system_wakeup does; without a waking vector it starts afresh. What
# it finds after SeaBIOS is what it finds in QEMU. Prints TAP.

guest=$BUILD_PATH/tests/guest/suspend.bin
bios=/usr/share/seabios/bios-256k.bin
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap '' PIPE # a guest that has ended too early hears nothing
number=0

if ! [ -r /dev/kvm ] || ! [ -w /dev/kvm ]; then
    echo "SKIP: needs /dev/kvm"
    exit 77
fi
"$FLATVIEW" -accel help | grep -q kvm || {
    echo "SKIP: built without KVM"
    exit 77
}

# point WORDS COMMAND...: one line of TAP.
point() {
    claim=$1
    shift
    number=$((number + 1))
    if "$@" >"$scratch/why" 2>&1; then
        echo "ok $number - $claim"
    else
        echo "not ok $number - $claim"
        sed 's/^/# /' "$scratch/why"
        tail -n 30 "$scratch/out" "$scratch/qmp" "$scratch/log" | sed 's/^/# /'
    fi
}

# seen FILE WORDS [TIMES]: wait for them; false: the guest has ended without.
seen() {
    while [ "$(grep -c -e "$2" "$scratch/$1")" -lt "${3:-1}" ]; do
        kill -0 "$machine" || return 1
        sleep 0.05
    done
}

wake() {
    echo "{'execute': 'system_wakeup'}" >&3
}

ended_well() {
    wait "$machine"
    status=$?
    exec 3>&-
    echo "status $status"
    [ "$status" = 0 ]
}

# told MODE: all that it says. Firmware leaves ACPI's MODE to it.
told() {
    {
        printf '%s\n' "starts 00000000" "sleeps 00000000" "shutdown 00000000" \
            "sleeps until its alarm" "awake 00000001" "status 00008400" \
            "enable 00000000" "control 0000000$1" "base 00000601" "wrong 00000000" \
            "sleeps" "awake 00000002" "status 00008100" "enable 00000000" \
            "control 0000000$1" "base 00000601" "wrong 00000000" "sleeps for good" \
            "starts 00000001" "sleeps 00000000" "shutdown 00000000" off
    } >"$scratch/wanted"
    tr -d '\r' <"$scratch/out" | sed -n 's/.*starts /starts /; /^starts/,$p' |
        grep -a '^[a-z]* *[0-9a-f]\{8\}$\|^sleeps\|^off$' | diff "$scratch/wanted" -
}

events() {
    grep -o '"event": "[A-Z_]*"' "$scratch/qmp" | cut -d '"' -f 4 |
        grep -v RTC_CHANGE | uniq >"$scratch/events"
    # shellcheck disable=SC2086
    printf '%s\n' $1 | diff - "$scratch/events"
}

# start WORDS MODE RESET [OPTION]...: a machine of $program.
start() {
    words=$1 mode=$2 reset=$3
    shift 3
    rm -f "$scratch/commands"
    mkfifo "$scratch/commands"
    : >"$scratch/out"
    timeout 120 "$program" -M pc -m 64 -nodefaults -display none \
        -serial "file:$scratch/out" -qmp stdio -kernel "$guest" "$@" \
        <"$scratch/commands" >"$scratch/qmp" 2>"$scratch/log" &
    machine=$!
    exec 3>"$scratch/commands"
    echo "{'execute': 'qmp_capabilities'}" >&3
    point "$words: its clock wakes it" seen qmp WAKEUP
    seen qmp '"SUSPEND"' 2
    wake
    seen qmp '"SUSPEND"' 3
    wake
    point "$words: it ends" ended_well
    point "$words: what it finds" told "$mode"
    point "$words: what the monitor tells" events \
        "SUSPEND WAKEUP SUSPEND WAKEUP SUSPEND WAKEUP$reset SHUTDOWN"
}

program=$FLATVIEW
start "directly" 1 ""
start "directly, 4 CPUs" 1 "" -smp 4
if [ -f "$bios" ]; then
    start "SeaBIOS" 0 " RESET" -bios "$bios"
    program=$(command -v qemu-system-x86_64) &&
        start "QEMU" 0 " RESET" -accel tcg
else
    number=$((number + 1))
    echo "ok $number - by SeaBIOS # SKIP needs the Debian package seabios"
fi

echo "1..$number"
