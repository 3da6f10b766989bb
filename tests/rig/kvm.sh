#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The tests that use /dev/kvm, SeaBIOS among them, once more on the complete KVM of the
# rig. TESTS_KVM in the environment lists them. On one processor: where vCPUs on two
# are kicked without end, QEMU's emulation of nested guests loses an interrupt between
# the two sooner or later, and the Linux on them locks up ("soft lockup").

# shellcheck disable=SC2086 # a list
exec "$SRC_PATH/scripts/rig" --cpus 1 --timeout 840 \
    "$SRC_PATH/tests/run-tests" --timeout 400 $TESTS_KVM \
    "$SRC_PATH/tests/test-seabios.sh"
