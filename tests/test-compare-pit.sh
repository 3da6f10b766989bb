#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The interval timer beside QEMU 7.2: see compare-pit.py. Prints TAP.

exec "$SRC_PATH/tests/beside-qemu.sh" pit
