#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# MSI-X beside that of QEMU 7.2: see compare-msix.py. Prints TAP.

exec "$SRC_PATH/tests/beside-qemu.sh" msix
