#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sleep on the board pc beside QEMU 7.2: see compare-suspend.py. Prints TAP.

exec "$SRC_PATH/tests/beside-qemu.sh" suspend
