#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Devices for test programs beside QEMU 7.2: see compare-testdevs.py. Prints TAP.

exec "$SRC_PATH/tests/beside-qemu.sh" testdevs
