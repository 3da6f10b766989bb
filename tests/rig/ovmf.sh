#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# OVMF on the board pc, in the rig; tests/rig/ovmf-session says what is checked.

# shellcheck source=scripts/common.sh
source_path=$SRC_PATH
. "$source_path/scripts/common.sh"

folder=/usr/share/OVMF
test_needs $folder/OVMF_CODE_4M.fd:ovmf $folder/OVMF_VARS_4M.fd:ovmf
test_guest

# Steady, and without late ticks: OVMF restores CR8 at the end of each interrupt. If the
# next one waits by then, that ends QEMU 7.2, which emulates the processor, with an
# assertion.
exec "$SRC_PATH/scripts/rig" --steady --timeout 840 "$SRC_PATH/tests/rig/ovmf-session" \
    "$folder/OVMF_CODE_4M.fd" "$folder/OVMF_VARS_4M.fd" \
    "$bzimage" "$initramfs"
