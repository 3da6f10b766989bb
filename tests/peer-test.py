# SPDX-License-Identifier: GPL-2.0-or-later
"""
Whether peer.py hears all that a program says, and notices what must not be: both sides of
each pair are this program. Prints TAP. See test-peer.sh.
"""
import socket
import sys
import tempfile

import peer

OPTIONS = ['-m', '16', '-device', 'edu,addr=4']
SET_UP = ['outl 0xcf8 0x80002010', 'outl 0xcfc 0xf0000000', 'outl 0xcf8 0x80002004',
          'outw 0xcfc 2', 'outl 0xcf8 0x80000860', 'outl 0xcfc 0x0b0b0b0b']
RAISE, LOWER = 'writel 0xf0000060 1', 'writel 0xf0000064 1'


def all_lines():
    """a line that comes with another is there after something was written"""
    near, far = socket.socketpair()
    near.settimeout(10)
    connection = peer.Connection(near)
    far.sendall(b'OK\nIRQ raise 5\nOK 0x')
    heard = [connection.readline()]
    connection.write('inb 0x80\n')
    connection.flush()
    far.sendall(b'ff\n')
    heard += [connection.readline(), connection.readline(), far.recv(100).decode()]
    connection.close()
    near.close()
    far.close()
    return heard == ['OK\n', 'IRQ raise 5\n', 'OK 0xff\n', 'inb 0x80\n']


def differences(scratch, lines, others=(), interrupts=True):
    """How many there are after @lines, and @others to one side alone."""
    pair = peer.Pair([sys.argv[1]] * 2, OPTIONS, scratch)
    if interrupts:
        pair.intercept()
    pair.run(SET_UP)
    for line in others:
        pair.vms[1].qtest(line)
    pair.run(lines)
    pair.end()
    return len(pair.differences)


def no_difference():
    """the same is the same"""
    with tempfile.TemporaryDirectory() as scratch:
        return differences(scratch, [RAISE, 'readl 0xf0000024', LOWER] * 300) == 0


def value():
    """another value"""
    with tempfile.TemporaryDirectory() as scratch:
        return differences(scratch, ['readl 0xf0000004'], ['writel 0xf0000004 1']) == 1


def interrupt():
    """an interrupt that only one has, though all values are the same"""
    with tempfile.TemporaryDirectory() as scratch:
        return differences(scratch, [LOWER], [RAISE]) == 1 and \
            differences(scratch, [LOWER], [RAISE], interrupts=False) == 0


def fails(function, error):
    try:
        function()
    except error:
        return not peer.VM.running
    return False


def nonsense():
    """a line that neither knows is no success"""
    with tempfile.TemporaryDirectory() as scratch:
        def run():
            pair = peer.Pair([sys.argv[1]] * 2, OPTIONS, scratch)
            try:
                pair.run(['inx 0x80'])
            finally:
                pair.end()
        return fails(run, AssertionError)


def no_start():
    """a program that ends at once is told of at once"""
    with tempfile.TemporaryDirectory() as scratch:
        return fails(lambda: peer.VM('false', [], scratch), ChildProcessError)


TESTS = all_lines, no_difference, value, interrupt, nonsense, no_start

print(f'1..{len(TESTS)}')
results = [test() for test in TESTS]
for number, (test, result) in enumerate(zip(TESTS, results), 1):
    print(f'{"ok" if result else "not ok"} {number} - {test.__doc__}')
sys.exit(not all(results))
