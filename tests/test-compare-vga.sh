#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The VGA beside QEMU 7.2: see compare-vga.py. Prints TAP.

exec "$SRC_PATH/tests/beside-qemu.sh" vga
