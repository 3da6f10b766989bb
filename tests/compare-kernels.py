#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Kernels of our own, tests/guest/multiboot.S and linux.S, in files of chance, started by
# SeaBIOS here, on KVM, and by QEMU: what they print of how they were started and of what
# they were told is the same. Prints TAP. Arguments: the two programs. Environment:
# BUILD_PATH; FLATVIEW_SEED, FLATVIEW_KERNELS (how many of each kind).
#
# Not compared: where an initramfs and Linux's heap lie, the loader's name and number,
# and where RAM ends, since either firmware makes its tables there. QEMU says that
# boot_device (flags, bit 1) is valid, which the Multiboot Specification (3.3) has only for
# a kernel from a disk. A 64-bit ELF file with a multiboot header is refused by QEMU, and
# so are modules with spaces before their names. QEMU's kernels without -append have a
# space behind their name, and it takes any word that ends with vga=NUMBER for a mode.

import os
import random
import re
import struct
import subprocess
import sys
import tempfile

OURS, QEMU = sys.argv[1:3]
GUESTS = os.environ['BUILD_PATH'] + '/tests/guest/'
BIOS = '/usr/share/seabios/bios-256k.bin'
AT = 0x100000  # where both guests belong
MULTIBOOT_HEADER = struct.Struct('<8I')
SETUP = 1024


def skip(why):
    print('SKIP: ' + why)
    sys.exit(77)


def read(path):
    with open(path, 'rb') as file:
        return file.read()


class Case:
    """A folder of files, and what both are started with."""

    def __init__(self, folder, rand):
        self.folder, self.rand = folder, rand
        self.append = self.initrd = None

    def file(self, name, data):
        path = os.path.join(self.folder, name)
        with open(path, 'wb') as file:
            file.write(data)
        return path

    def words(self, extra=()):
        """A command line: words and what is between them."""
        some = ['a', 'a=b', 'x,y', 'root=/dev/sda1', '"x', 'y"', '\\n', '%s', 'ä', '-',
                'z' * 100, ''] + list(extra)
        return self.rand.choice(['', ' ', '  ', '\t']).join(
            self.rand.choice(some) + ' ' * self.rand.randrange(2)
            for _ in range(self.rand.randrange(6)))

    def modules(self):
        """A list for -initrd, and its files."""
        listed = []
        for n in range(self.rand.randrange(4)):
            name = 'm%d' % n + self.rand.choice(['', '-', ',', ',b', '=c'])
            size = self.rand.choice([1, 10, 4095, 4096, 4097])
            text = bytes(self.rand.choice(b'abcdefgh\n') for _ in range(size - 1)) + b'\n'
            self.file(name, text)
            listed.append(name.replace(',', ',,') +
                          self.rand.choice(['', ' ', ' x', ' x  y=z', '  x ']))
        return ','.join(listed) or None

    def run(self, kernel):
        """What it prints here, and there."""
        options = ['-m', '64', '-nodefaults', '-display', 'none', '-no-reboot',
                   '-kernel', kernel, '-device', 'isa-debug-exit,iobase=0x501,iosize=1']
        if self.append is not None:
            options += ['-append', self.append]
        if self.initrd is not None:
            options += ['-initrd', self.initrd]
        both = []
        for name, command in (
                ('here', [OURS, '-M', 'pc', '-bios', BIOS]),
                ('there', [QEMU, '-M', 'pc', '-accel', 'tcg', '-no-user-config'])):
            both.append(subprocess.Popen(
                command + ['-serial', 'file:' + name] + options, cwd=self.folder,
                stdin=subprocess.DEVNULL, stderr=subprocess.PIPE))
        told = []
        for name, process in zip(('here', 'there'), both):
            try:
                _, errors = process.communicate(timeout=90)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                errors = b'does not end'
            path = os.path.join(self.folder, name)
            text = read(path).decode(errors='replace') if os.path.exists(path) else ''
            told.append((process.returncode, errors.decode(errors='replace'), text))
        return told


# What is in the file: of the two guests, in another form.

def multiboot_flat(case):
    image = bytearray(read(GUESTS + 'multiboot.bin'))
    fields = list(MULTIBOOT_HEADER.unpack_from(image))
    before = case.rand.randrange(0, 8192 - 32, 4) if case.rand.random() < 0.7 else 0
    behind = case.rand.choice([0, 0, 1, 5000])
    if case.rand.random() < 0.5 and not behind:
        fields[5] = 0  # load_end_addr: all that there is
    MULTIBOOT_HEADER.pack_into(image, 0, *fields)
    return bytes(before) + bytes(image) + b'\xee' * behind


def multiboot_elf(case):
    """Two or three segments of it, in any order, and the header where it falls."""
    image = bytearray(read(GUESTS + 'multiboot.bin'))
    fields = MULTIBOOT_HEADER.unpack_from(image)
    flags = fields[1] & ~0x10000
    struct.pack_into('<3I', image, 0, fields[0], flags, -(fields[0] + flags) & 0xffffffff)
    cut = sorted([0, len(image)] + [case.rand.randrange(1, len(image))
                                    for _ in range(case.rand.randrange(3))])
    at = 52 + 32 * len(cut)
    at += -at % 4 + 4 * case.rand.randrange(500)
    headers = []
    for first, end in zip(cut, cut[1:]):
        more = fields[6] - AT - end if end == len(image) else 0  # bss_end_addr
        headers.append(struct.pack('<8I', 1, at + first, AT + first, AT + first,
                                   end - first, end - first + more, 7, 1))
    if case.rand.random() < 0.5:
        headers.append(struct.pack('<8I', 0x6474e551, 0, 0, 0, 0, 0, 6, 16))
    case.rand.shuffle(headers)
    elf = b'\x7fELF\1\1\1' + bytes(9) + struct.pack(
        '<2H5I6H', 2, 3, 1, fields[7], 52, 0, 0, 52, 32, len(headers), 40, 0, 0)
    elf += b''.join(headers)
    return elf + bytes(at - len(elf)) + image


def linux(case):
    image = read(GUESTS + case.rand.choice(['linux32.bin', 'linux64.bin']))
    setup, code = bytearray(image[:SETUP]), image[SETUP:]
    version = case.rand.choice([0x202, 0x203, 0x204, 0x206, 0x208, 0x20a, 0x20c, 0x20f])
    struct.pack_into('<H', setup, 0x206, version)
    struct.pack_into('<H', setup, 0x1fa, case.rand.randrange(0x10000))
    sectors = case.rand.choice([0, 1, 2, 4, 30, 60])
    setup[0x1f1] = sectors
    setup += bytes(((sectors or 4) + 1) * 512 - len(setup))
    return bytes(setup) + code + b'\xee' * case.rand.choice([0, 0, 1000])


def lines(text, first):
    """The first start's, from the line with @first on."""
    at = text.find(first)
    text = text[at:] if at >= 0 else text
    return text.split('\nreset\n')[0].split('\n')


def multiboot_lines(text):
    wanted = []
    for line in lines(text, 'magic '):
        line = re.sub('^flags 0000024f', 'flags 0000024d', line).rstrip(' ')
        if not re.match('upper |loader |map (?!00000000000)|map 0000000000100000', line):
            wanted.append(line)
    return wanted


def linux_lines(text):
    return [re.sub(r'^(way 16 \w+ \w+ )....|^(type_of_loader, loadflags \w{6})..',
                   r'\1\2', line) for line in lines(text, 'way 16')
            if not line.startswith(('ramdisk_image', 'heap_end_ptr'))]


def compare(kind, seed):
    """None, or what is different."""
    rand = random.Random('%s %d' % (kind.__name__, seed))
    with tempfile.TemporaryDirectory() as folder:
        case = Case(folder, rand)
        kernel = case.file('k', kind(case))
        if kind is linux:
            case.append = case.words(['vga=normal', 'vga=0x317', 'vga=ask'])[:250]
            if rand.random() < 0.8:
                data = b'initrd' * rand.choice([1, 10, 1000])
                case.initrd = case.file('initrd', data)
        else:
            case.initrd = case.modules()
            if rand.random() < 0.8:
                case.append = case.words()
        (status, errors, here), (there_status, there_errors, there) = case.run('k')
        cut = linux_lines if kind is linux else multiboot_lines
        where = 'FLATVIEW_SEED=%d, %s -append %r -initrd %r' % (
            seed, kind.__name__, case.append, case.initrd)
        if there_status not in (0, 1) or there_errors:
            return '%s: QEMU: %d %s' % (where, there_status, there_errors)
        if status != there_status or errors:
            return '%s: %d %s' % (where, status, errors)
        mine, theirs = cut(here), cut(there)
        if len(theirs) < 5:
            return '%s: QEMU printed %r' % (where, there)
        if mine != theirs:
            return '%s: differ:\n' % where + '\n'.join(
                '# %r here, %r there' % pair for pair in zip(mine, theirs)
                if pair[0] != pair[1])[:2000]
    return None


def main():
    if b'kvm' not in subprocess.run([OURS, '-accel', 'help'], capture_output=True,
                                    check=True).stdout:
        skip('built without KVM')
    if not os.path.exists(BIOS):
        skip('needs the Debian package seabios')
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        skip('needs /dev/kvm')
    seed = int(os.environ.get('FLATVIEW_SEED', 1))
    count = int(os.environ.get('FLATVIEW_KERNELS', 1))
    for number, kind in enumerate((multiboot_flat, multiboot_elf, linux), 1):
        wrong = [text for text in (compare(kind, seed + n) for n in range(count)) if text]
        print('%s %d - %s, %d files' % ('not ok' if wrong else 'ok', number,
                                        kind.__name__.replace('_', ', '), count))
        for text in wrong:
            print('# ' + text)
    print('1..3')


main()
