#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Boots a stock Debian kernel in the rig with processors grouped in several ways;
# tests/rig/topology-guests says what is checked.

# shellcheck source=scripts/common.sh
source_path=$SRC_PATH
. "$source_path/scripts/common.sh"

cache=$BUILD_PATH/cache
mkdir -p "$cache"
command -v busybox >/dev/null || {
    echo "SKIP: guests need busybox: Debian package busybox-static"
    exit 77
}
kernel=$(fetch_kernel linux-image-cloud-amd64 "$cache") || {
    echo "SKIP: no kernel to boot"
    exit 77
}
kernel=$(echo "$kernel"/boot/vmlinuz-*)
guest_initramfs "$cache/guest.cpio" || exit 1

# shellcheck disable=SC2016 # for the shell in the rig
exec "$source_path/scripts/rig" --timeout 840 sh -c \
    'exec "$SRC_PATH/tests/rig/topology-guests" "$1" "$2"' \
    topology-guests "$kernel" "$cache/guest.cpio"
