#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The real-time clock beside QEMU 7.2: see compare-rtc.py. Prints TAP.

exec "$SRC_PATH/tests/beside-qemu.sh" rtc
