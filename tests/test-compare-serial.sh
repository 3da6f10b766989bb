#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The 16550A beside QEMU 7.2: see compare-serial.py. Prints TAP.

exec "$SRC_PATH/tests/beside-qemu.sh" serial
