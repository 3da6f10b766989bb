#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Bridges beside those of QEMU 7.2: see compare-bridge.py. Prints TAP.

exec "$SRC_PATH/tests/beside-qemu.sh" bridge
