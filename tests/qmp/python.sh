#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The established Python client of the protocol, module qemu.qmp, holds a session:
# it listens, the program connects to it. Prints TAP.
#
# Needs FLATVIEW, which make check sets.

if ! python3 -c 'import qemu.qmp' 2>/dev/null; then
    echo "1..0 # SKIP the Python module qemu.qmp is not installed"
    exit 0
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

if timeout 60 python3 - "$FLATVIEW" "$scratch/qmp" >"$scratch/why" 2>&1 <<'END'
import asyncio
import subprocess
import sys

from qemu.qmp import ExecuteError, QMPClient

program, path = sys.argv[1:]


async def main():
    client = QMPClient('test')
    await client.start_server(path)
    child = subprocess.Popen([program, '-M', 'microvm', '-accel', 'qtest',
                              '-nodefaults', '-display', 'none', '-S',
                              '-chardev', 'socket,id=c,path=' + path,
                              '-mon', 'chardev=c,mode=control'])
    await client.accept()
    status = await client.execute('query-status')
    assert status['status'] == 'prelaunch', status
    with client.listener(('RESUME', 'STOP')) as events:
        await client.execute('cont')
        assert (await events.get())['event'] == 'RESUME'
        await client.execute('stop')
        assert (await events.get())['event'] == 'STOP'
    try:
        await client.execute('no-such-command')
        assert False
    except ExecuteError as err:
        assert err.error.class_ == 'CommandNotFound', err
    await client.execute('quit')
    await client.disconnect()
    assert child.wait(30) == 0


asyncio.run(main())
END
then
    echo "ok 1 - a session of qemu.qmp"
else
    echo "not ok 1 - a session of qemu.qmp"
    sed 's/^/# /' "$scratch/why"
fi
echo "1..1"
