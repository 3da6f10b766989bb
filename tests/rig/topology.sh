#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Boots a stock Debian kernel in the rig with processors grouped in several ways;
# tests/rig/topology-guests says what is checked.

# shellcheck source=scripts/common.sh
source_path=$SRC_PATH
. "$source_path/scripts/common.sh"

test_guest

exec "$source_path/scripts/rig" --timeout 840 "$source_path/tests/rig/topology-guests" \
    "$bzimage" "$initramfs"
