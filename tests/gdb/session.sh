#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The session in docs/gdb.md, by gdb: prints TAP. Needs SRC_PATH, BUILD_PATH and
# FLATVIEW, which make check sets.

skip() {
    echo "SKIP: $*"
    exit 77
}
command -v gdb >/dev/null || skip "gdb is missing: Debian package gdb"
[ -w /dev/kvm ] || skip "/dev/kvm cannot be used"
! "$FLATVIEW" -cpu help | grep -q "built without KVM" || skip "built without KVM"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
ln -s "$BUILD_PATH/tests" tests
awk '/^\[a gdb session\]$/ { on = 1; next }
    on && /^    / { print substr($0, 5); begun = 1; next }
    begun && !/^$/ { exit }' "$SRC_PATH/docs/gdb.md" >wanted
{
    echo 'set pagination off'
    # A line for each command, as a person would have typed it.
    sed -n 's/^(gdb) //p' wanted | while read -r command; do
        printf 'echo (gdb) %s\\n\n%s\n' "$command" "$command"
    done
} >commands

timeout 60 "$FLATVIEW" -M microvm -bios "$BUILD_PATH/tests/guest/hello.bin" -S \
    -gdb unix:gdb.socket,server=on,wait=off -nodefaults -display none \
    -serial file:console </dev/null &
machine=$!
while [ ! -S gdb.socket ] && kill -0 "$machine" 2>/dev/null; do
    sleep 0.1
done
timeout 50 gdb -nx -batch -x commands >out 2>&1
wait "$machine"
status=$?

# What gdb says of the connection differs between versions.
sed -n '/^(gdb) target/,$p' out | grep -v -e '^warning:' -e '^determining' -e '^\[Inferior' \
    -e '^Program stopped' -e '^$' | sed '2{/^0x/d;}; s/ *$//' >got
echo "1..2"
if [ -s wanted ] && diff -u wanted got >difference; then
    echo "ok 1 - gdb says what docs/gdb.md has"
else
    echo "not ok 1 - gdb says what docs/gdb.md has"
    sed 's/^/# /' difference
fi
if [ "$status" = 0 ] && grep -q 'Switching off' console; then
    echo "ok 2 - after detach the guest goes on"
else
    echo "not ok 2 - after detach the guest goes on"
fi
