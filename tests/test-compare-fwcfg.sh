#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# fw_cfg beside QEMU 7.2: see compare-fwcfg.py. Prints TAP.

exec "$SRC_PATH/tests/beside-qemu.sh" fwcfg
