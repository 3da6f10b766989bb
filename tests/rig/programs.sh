#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Programs that Debian has for bare machines, started by -kernel in the rig: memtest86+,
# iPXE, Xen with a stock kernel as module. tests/rig/program-guests says what is checked. Their
# packages are unpacked in the cache, and not installed.

# shellcheck source=scripts/common.sh
source_path=$SRC_PATH
. "$source_path/scripts/common.sh"

test_needs /usr/share/seabios/bios-256k.bin:seabios
test_guest

# unpacked PACKAGE: the folder where it is unpacked, or nothing.
unpacked() {
    if [ ! -d "$cache/$1" ]; then
        rm -rf "$cache/$1.part"
        mkdir -p "$cache/$1.part"
        download "$1" "$cache/$1.part" && dpkg -x "$cache/$1.part/$1"_*.deb "$cache/$1.part" &&
            rm -f "$cache/$1.part/"*.deb && mv "$cache/$1.part" "$cache/$1" || return
    fi
    echo "$cache/$1"
}

for package in memtest86+ ipxe xen-hypervisor-4.17-amd64; do
    [ -n "$(unpacked $package)" ] || {
        echo "SKIP: the Debian package $package cannot be downloaded"
        exit 77
    }
done
gunzip -c "$cache"/xen-hypervisor-*/boot/xen-*.gz >"$cache/xen" || exit 1

# The rig's own kernel is one that Xen can start.
# shellcheck disable=SC2016 # for the shell in the rig
exec "$source_path/scripts/rig" --timeout 850 sh -c \
    'exec "$SRC_PATH/tests/rig/program-guests" "$1" "$BUILD_PATH"/cache/linux-image-amd64/boot/vmlinuz-* "$2"' \
    program-guests "$cache" "$initramfs"
