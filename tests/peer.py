# SPDX-License-Identifier: GPL-2.0-or-later
"""
Two programs side by side: this one and QEMU 7.2, started alike, and driven alike by qtest
and QMP. What compare-*.py share.

A comparison is a list of functions `test(pair_of, rng)`, each with a docstring that says
what is the same. `pair_of(options)` starts both; what is not the same goes to
`pair.differences`. `main()` runs them and prints TAP. What is done by chance is the same
in each run; FLATVIEW_SEED=N makes it another.
"""
import base64
import json
import os
import random
import re
import select
import socket
import subprocess
import sys
import tempfile

# A test stops to look for more once it has found so many differences.
ENOUGH = 5


class Connection:
    """
    Lines, both ways. A file for each: one for both forgets, when it is written to, what it
    has read of lines that nobody has asked for yet.
    """

    def __init__(self, connection):
        self.files = [connection.makefile(mode) for mode in 'rw']
        self.readline = self.files[0].readline
        self.write, self.flush = self.files[1].write, self.files[1].flush

    def close(self):
        for file in self.files:
            file.close()


class VM:
    """One program, with both of its connections."""

    running = []

    def __init__(self, program, options, scratch, accel='tcg'):
        self.is_qemu = 'qemu' in os.path.basename(program)
        self.scratch = scratch
        listeners = []
        for name in ('qtest', 'qmp'):
            path = os.path.join(scratch, name)
            if os.path.exists(path):
                os.unlink(path)
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(path)
            listener.listen(1)
            listeners.append(listener)
        options = ['-M', 'pc', '-nodefaults', '-display', 'none', '-S',
                   '-qtest', f'unix:{scratch}/qtest', '-qtest-log', '/dev/null',
                   '-chardev', f'socket,id=mon,path={scratch}/qmp',
                   '-mon', 'chardev=mon,mode=control'] + options
        options += ['-accel', accel, '-vga', 'none'] if self.is_qemu else \
                   ['-accel', 'qtest']
        self.child = subprocess.Popen([program] + options)
        VM.running.append(self)
        self.files = []
        self.events = []
        self.irqs = []
        try:
            self.connect(listeners)
        except Exception:
            self.end()
            raise

    def connect(self, listeners):
        for listener in listeners:
            while not select.select([listener], [], [], 0.1)[0]:
                if self.child.poll() is not None:
                    raise ChildProcessError(f'{self.child.args} ended with status '
                                            f'{self.child.returncode}')
            connection = listener.accept()[0]
            listener.close()
            connection.settimeout(60)
            self.files.append(Connection(connection))
            connection.close()
        self.files[1].readline()
        self.qmp('qmp_capabilities')

    def qmp(self, command, **arguments):
        """What a command returns; events that come before it go to `events`."""
        self.files[1].write(json.dumps({'execute': command,
                                        'arguments': arguments}) + '\n')
        self.files[1].flush()
        while True:
            reply = json.loads(self.files[1].readline())
            if 'event' not in reply:
                return reply['return']
            self.events.append(reply['event'])

    def hmp(self, line):
        return self.qmp('human-monitor-command', **{'command-line': line})

    def reset(self):
        self.events = []
        self.qmp('system_reset')
        while 'RESET' not in self.events:
            reply = json.loads(self.files[1].readline())
            self.events.append(reply['event'])

    def send(self, lines):
        self.files[0].write('\n'.join(lines) + '\n')
        self.files[0].flush()

    def reply(self):
        """The words of one reply; what interrupts did before it goes to `irqs`."""
        while True:
            words = self.files[0].readline().split()
            if words[0] != 'IRQ':
                return words
            self.irqs.append(' '.join(words[1:]))

    def qtest(self, line):
        """The number that the reply has, or None."""
        self.send([line])
        reply = self.reply()
        assert reply[0] == 'OK', (line, reply)
        return int(reply[1], 0) if len(reply) > 1 else None

    def screen(self):
        """The size of the first screen, and its pixels of 3 bytes."""
        path = os.path.join(self.scratch, 'screen.ppm')
        self.qmp('screendump', filename=path)
        with open(path, 'rb') as file:
            kind, size, most, pixels = file.read().split(b'\n', 3)
        os.unlink(path)
        assert kind == b'P6' and most == b'255', (kind, most)
        return tuple(int(word) for word in size.split()), pixels

    def config_get(self, devfn, reg, bus=0):
        self.qtest(f'outl 0xcf8 {0x80000000 | bus << 16 | devfn << 8 | (reg & ~3)}')
        return self.qtest(f'inb {0xcfc + reg % 4}')

    def config_set(self, devfn, reg, value, width='b', bus=0):
        self.qtest(f'outl 0xcf8 {0x80000000 | bus << 16 | devfn << 8 | (reg & ~3)}')
        self.qtest(f'out{width} {0xcfc + reg % 4} {value}')

    def end(self):
        if self in VM.running:
            VM.running.remove(self)
        self.child.kill()
        self.child.wait()
        for file in self.files:
            file.close()


def value_of(words):
    """What a reply says, whichever way it writes numbers."""
    return int(words[1], 16) if words[0] == 'OK' and words[1:] and \
        re.fullmatch('(0x)?[0-9a-f]+', words[1]) else words


class Pair:
    """
    Both programs with the same options: `vms` is [here, QEMU]. `accel` is QEMU's: tcg,
    or qtest, where the clock is moved by hand.
    """

    def __init__(self, programs, options, scratch, accel='tcg'):
        self.vms = []
        self.differences = []
        try:
            for program in programs:
                self.vms.append(VM(program, options, scratch, accel))
        except Exception:
            self.end()
            raise

    def same(self, what, values):
        """@values are of here and of QEMU."""
        if values[0] != values[1]:
            self.differences.append(f'# {what}:\n#   here    {values[0]}\n'
                                    f'#   in QEMU {values[1]}')

    def enough(self):
        return len(self.differences) >= ENOUGH

    def both(self, line):
        return [vm.qtest(line) for vm in self.vms]

    def config_get(self, devfn, reg, bus=0):
        return [vm.config_get(devfn, reg, bus) for vm in self.vms]

    def config_set(self, devfn, reg, value, width='b', bus=0):
        for vm in self.vms:
            vm.config_set(devfn, reg, value, width, bus)

    def reset(self):
        for vm in self.vms:
            vm.reset()

    def write(self, address, data):
        """Bytes into the memory of both."""
        for at in range(0, len(data), 0x8000):
            part = data[at:at + 0x8000]
            text = base64.b64encode(part).decode()
            self.both(f'b64write {address + at} {len(part)} {text}')

    def intercept(self):
        """From now on, what the I/O APIC's inputs do is compared by run(), too."""
        for vm in self.vms:
            vm.qtest('irq_intercept_in ioapic')

    def run(self, lines, what='', ignore=None):
        """
        Sends all @lines to both, which takes far less time than one by one; every reply
        is the same, or the first that is not is told with the lines before it. @ignore,
        if there is one, takes the line and both replies' values, and returns whether a
        difference is one that is meant. Returns whether all was the same.
        """
        heard = []
        for vm in self.vms:
            vm.irqs = []
            replies = []
            # In parts: a socket holds so many lines, and so many replies.
            for first in range(0, len(lines), 500):
                part = lines[first:first + 500]
                vm.send(part)
                for line in part:
                    words = vm.reply()
                    assert words[0] == 'OK', (line, words)
                    replies.append((value_of(words), tuple(vm.irqs)))
                    vm.irqs = []
            heard.append(replies)
        for n, (line, here, there) in enumerate(zip(lines, *heard)):
            if here == there or (ignore and here[1] == there[1] and
                                 ignore(line, here[0], there[0])):
                continue
            before = '\n'.join(f'#   {line}' for line in lines[max(0, n - 12):n])
            words = [f'{value:#x}' if isinstance(value, int) else ' '.join(value)
                     for value in (here[0], there[0])]
            if here[1] or there[1]:
                words = [f'{text} and interrupts {list(irqs)}'
                         for text, irqs in zip(words, (here[1], there[1]))]
            self.differences.append(f'# {what}\n{before}\n#   {line}\n'
                                    f'#   here    {words[0]}\n#   in QEMU {words[1]}')
            return False
        return True

    def end(self):
        for vm in self.vms:
            vm.end()


def shortest(steps, differ):
    """As few of @steps as are left when one after the other goes that is not needed for
    @differ(steps) to be true."""
    size = len(steps) // 2
    while size:
        at = 0
        while at < len(steps):
            fewer = steps[:at] + steps[at + size:]
            if differ(fewer):
                steps = fewer
            else:
                at += size
        size //= 2
    return steps


def main(tests, pair_class=Pair):
    """Runs all, with the two programs that the command line names; an exit status."""
    programs = sys.argv[1:3]
    seed = int(os.environ.get('FLATVIEW_SEED', '1996'))
    failed = False
    print(f'1..{len(tests)}')
    with tempfile.TemporaryDirectory() as scratch:
        for number, test in enumerate(tests, 1):
            pairs = []

            def pair_of(options, **others):
                pairs.append(pair_class(programs, options, scratch, **others))
                return pairs[-1]

            try:
                test(pair_of, random.Random(seed))
            finally:
                for vm in VM.running[:]:
                    vm.end()
            differences = [text for pair in pairs for text in pair.differences]
            title = ' '.join(test.__doc__.split())
            print(f'{"not ok" if differences else "ok"} {number} - {title}')
            if differences:
                failed = True
                print(f'# FLATVIEW_SEED={seed}: {len(differences)} differences')
                print('\n'.join(differences[:ENOUGH]))
            sys.stdout.flush()
    return 1 if failed else 0
