#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a VGA shows beside QEMU 7.2: see compare-screen.py. Prints TAP.

exec "$SRC_PATH/tests/beside-qemu.sh" screen
