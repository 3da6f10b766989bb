#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Keyboard controller, keyboard and mouse beside QEMU 7.2: see compare-i8042.py. Prints TAP.

exec "$SRC_PATH/tests/beside-qemu.sh" i8042
