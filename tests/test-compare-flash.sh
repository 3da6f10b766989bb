#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Parallel flash beside QEMU 7.2: see compare-flash.py. Prints TAP.

exec "$SRC_PATH/tests/beside-qemu.sh" flash
