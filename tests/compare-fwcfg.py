# SPDX-License-Identifier: GPL-2.0-or-later
"""
What firmware is told beside QEMU 7.2: items and files of fw_cfg for many command lines,
and programs of accesses by ports and by DMA, made by chance, through qtest. Prints TAP.
See test-compare-fwcfg.sh.

What differs, and is left out:
- where nobody looks at a screen, firmware is told so here (item 4, etc/sercon-port);
- QEMU describes the HPET in an item of its own (0x8004), which nobody reads any more;
- the revisions of ACPI tables, and so the end of the FADT; those with AML;
- fields of SMBIOS structures as below;
- its empty files, and a ROM for its own interrupt controller;
- its processor is AMD's, which keeps addresses below 1 TiB to itself (etc/e820); KVM's
  pages are reserved here;
- a port access of two or four bytes that is refused reads as zeros there, as ones here;
- DMA to and from what is no RAM is an error here; there it reaches devices, ROM
  swallows it, and it goes on behind a hole; how far one came that fails.
"""
import base64
import os
import struct
import sys

import peer

SELECTOR, DATA, DMA = 0x510, 0x511, 0x514
DIRECTORY = 0x19
ERROR, READ, SKIP, SELECT, WRITE = 1, 2, 4, 8, 16
REQUEST, TARGET = 0x10000, 0x20000
MIB = 1 << 20

PROGRAMS = int(os.environ.get('FLATVIEW_SEQUENCES', '20'))
STEPS = 100

# Items that mean the same.
ITEMS = [key for key in range(DIRECTORY) if key != 4] + [0x8002]
# Files that have the same bytes.
FILES = ['bootorder', 'etc/boot-fail-wait', 'etc/boot-menu-wait', 'etc/system-states']
# Files of users, sorted: name and content.
USERS = [(f'opt/z{n:02}', bytes((n * 31 + i * 7 + (i >> 8)) & 0xff for i in range(size)))
         for n, size in enumerate((0, 1, 5, 512, 4095, 4096, 4097, 0x12345))]

PM = 0x0b # function 1.3
# Tables, and where that of them begins and ends that is the same: of the FADT, from the
# interrupt on to the flags, of which revision 1 has not all.
ACPI = {b'FACP': (44, 109), b'APIC': (36, None), b'HPET': (36, None), b'WAET': (36, None)}
# Keys of -smbios whose values are words.
SMBIOS = {1: 'manufacturer product version serial sku family',
          2: 'manufacturer product version serial asset location',
          3: 'manufacturer version serial asset sku',
          4: 'sock_pfx manufacturer version serial asset part',
          17: 'loc_pfx bank manufacturer serial asset part'}
# First and last byte of fields that differ: where the firmware begins, and whether the
# contents of its updates are of a kind; whether the chassis is locked; that processors
# have 64 bits; the handle of texts; where the memory is, and how it corrects errors.
MEANT = {0: [(6, 7), (19, 19)], 3: [(12, 12)], 4: [(38, 39)], 11: [(2, 3)],
         16: [(4, 4), (6, 6)]}


def item(vm, key, size):
    """The first bytes, by the data port."""
    vm.qtest(f'outw {SELECTOR:#x} {key:#x}')
    vm.send([f'inb {DATA:#x}'] * size)
    return bytes(int(vm.reply()[1], 16) for _ in range(size))


def start_dma(address):
    """Lines that have the request there done."""
    high, low = (int.from_bytes(part, 'little') for part in
                 struct.unpack('4s4s', struct.pack('>Q', address)))
    return ([f'outl {DMA:#x} {high:#x}'] if high else []) + [f'outl {DMA + 4:#x} {low:#x}']


def directory(vm):
    """Name to (size, key)."""
    count = int.from_bytes(item(vm, DIRECTORY, 4), 'big')
    entries = item(vm, DIRECTORY, 4 + 64 * count)[4:]
    found = {}
    for size, key, reserved, name in struct.iter_unpack('>IHH56s', entries):
        assert reserved == 0
        found[name.rstrip(b'\0').decode()] = (size, key)
    return found


def content(vm, entry):
    """Bytes of a file, by DMA."""
    size, key = entry
    request = struct.pack('>IIQ', key << 16 | SELECT | READ, size, TARGET)
    vm.qtest(f'write {REQUEST:#x} 16 0x{request.hex()}')
    for line in start_dma(REQUEST):
        vm.qtest(line)
    assert vm.qtest(f'readl {REQUEST:#x}') == 0
    if not size:
        return b''
    vm.send([f'b64read {TARGET:#x} {size}'])
    return base64.b64decode(vm.reply()[1])


def ram_of(e820):
    entries = struct.iter_unpack('<QQI', e820)
    return sorted(entry for entry in entries if entry[2] == 1)


def compare_machine(pair, what):
    for key in ITEMS:
        pair.same(f'{what}: item {key:#x}', [item(vm, key, 20).hex() for vm in pair.vms])
    files = [directory(vm) for vm in pair.vms]
    pair.same(f'{what}: which files there are',
              [[name for name in FILES if name in names] for names in files])
    for name in FILES:
        if all(name in names for names in files):
            pair.same(f'{what}: {name}', [content(vm, names[name])
                                          for vm, names in zip(pair.vms, files)])
    pair.same(f'{what}: RAM', [ram_of(content(vm, names['etc/e820']))
                               for vm, names in zip(pair.vms, files)])


def machines(pair_of, rng):
    """Items and files of many command lines"""
    for options in ('-m 1 -boot menu=on -M graphics=off',
                    '-m 128 -uuid 6ba7b810-9dad-11d1-80b4-00c04fd430c8 -boot strict=on',
                    '-m 3583 -smp 6,sockets=3,cores=2 -boot splash-time=3000',
                    '-m 3584 -smp 9,sockets=3,cores=3 -boot reboot-timeout=1000',
                    '-m 6G -smp 12,sockets=2,dies=2,cores=3 -M hpet=off',
                    '-m 5G -M max-ram-below-4g=1G -boot order=ndc,once=a',
                    '-m 64 -device edu -device pci-testdev -device pvpanic '
                    '-boot reboot-timeout=-1,splash-time=0,menu=off,strict=off'):
        pair = pair_of(options.split())
        compare_machine(pair, options)
    pair.reset()
    compare_machine(pair, options + ', after a reset')


def acpi_tables(vm):
    """Signature to table; a name in AML has no maker behind it."""
    data = content(vm, directory(vm)['etc/acpi/tables'])
    found = {}
    at = 0
    while at + 36 < len(data):
        name, length = struct.unpack_from('<4sI', data, at)
        if name in ACPI and data[at + 10:at + 16] in (b'FLATVW', b'BOCHS '):
            found[name] = data[at:at + length]
            at += length
        else:
            at += 1
    return found


def acpi(pair_of, rng):
    """ACPI tables, with the registers where firmware puts them"""
    for options, port in (('-m 128', 0x600), ('-m 6G -smp 9,sockets=3,cores=3', 0xb000),
                          ('-smp 20', 0x4040)):
        pair = pair_of(options.split())
        pair.config_set(PM, 0x40, port | 1, 'l')
        pair.config_set(PM, 0x80, 1)
        found = [acpi_tables(vm) for vm in pair.vms]
        for name, (first, end) in ACPI.items():
            pair.same(f'{options}: {name} with registers at {port:#x}',
                      [tables[name][first:end].hex() for tables in found])


def structures(tables):
    """(fields, strings) of each; fields but for those that differ."""
    found = []
    at = 0
    while at < len(tables):
        kind, length = tables[at:at + 2]
        fields = bytearray(tables[at:at + length])
        end = tables.index(b'\0\0', at + length)
        for first, last in MEANT.get(kind, ()):
            fields[first:last + 1] = bytes(last + 1 - first)
        found.append((fields.hex(), tables[at + length:end].split(b'\0')))
        at = end + 2
    return found


def smbios_options(rng):
    """All keys of some types: what is said without them is not the same."""
    words = []
    for kind, keys in SMBIOS.items():
        said = [f'{key}=word{rng.randrange(1000)}' for key in keys.split()]
        if kind == 1:
            said.append('uuid=6ba7b810-9dad-11d1-80b4-00c04fd43%03x' % rng.randrange(4096))
        elif kind == 4:
            said += [f'max-speed={rng.randrange(1, 65536)}', 'current-speed=1000',
                     f'processor-id={rng.getrandbits(64)}']
        elif kind == 17:
            said.append(f'speed={rng.randrange(1, 5000)}')
        if kind in (1, 3, 4, 17) or rng.random() < 0.5:
            words += ['-smbios', f'type={kind},' + ','.join(said)]
    if rng.random() < 0.5:
        words += ['-smbios', 'type=0,vendor=me,version=1.0,date=01/02/2003,release=4.5'
                  + rng.choice((',uefi=on', ',uefi=off', ''))]
    for _ in range(rng.choice((0, 1, 3))):
        words += ['-smbios', f'type=11,value=io.example:{rng.randrange(100)}']
    return words


def smbios(pair_of, rng):
    """SMBIOS tables of machines that users describe"""
    for _ in range(2):
        options = ['-m', rng.choice(('1', '128', '3584', '5G')), '-smp',
                   rng.choice(('1', '3', '6,sockets=3,cores=2', '8,sockets=4,cores=2'))]
        options += smbios_options(rng)
        pair = pair_of(options)
        found = []
        for vm in pair.vms:
            files = directory(vm)
            anchor = content(vm, files['etc/smbios/smbios-anchor'])
            tables = content(vm, files['etc/smbios/smbios-tables'])
            pair.same('the length of all', [struct.unpack_from('<H', anchor, 22)[0],
                                            len(tables)])
            largest = struct.unpack_from('<H', anchor, 8)[0]
            found.append((anchor[:4], anchor[5:8], anchor[10:21], anchor[24:30], largest,
                          structures(tables)))
        what = ' '.join(options)
        pair.same(what, found)


class Program:
    """Lines made by chance."""

    def __init__(self, rng, keys, ram):
        self.rng = rng
        self.keys = keys
        self.ram = ram
        self.lines = []
        for _ in range(STEPS):
            rng.choices((self.select, self.read, self.write, self.identity, self.transfer),
                        (4, 4, 1, 1, 6))[0]()

    def key(self):
        kind = self.rng.randrange(8)
        if kind < 4:
            return self.rng.choice(self.keys)
        if kind < 6:
            return self.rng.choice(ITEMS)
        if kind == 6:
            return self.rng.choice(self.keys + ITEMS) | 0x4000
        return self.rng.choice((0x200, 0x3fff, 0xffff, 0xbfff,
                                self.rng.randrange(0x200, 0x4000)))

    def select(self):
        self.lines.append(f'outw {SELECTOR:#x} {self.key():#x}')

    def read(self):
        port = self.rng.choice((DATA, DATA, DATA, SELECTOR))
        self.lines += [f'inb {port:#x}'] * self.rng.choice((1, 4, 20, self.rng.randrange(40)))

    def write(self):
        self.lines.append(f'outb {self.rng.choice((DATA, SELECTOR)):#x} '
                          f'{self.rng.randrange(256):#x}')

    def identity(self):
        for name, width in (('b', 1), ('w', 2), ('l', 4)):
            at = self.rng.randrange(0, 8, width)
            self.lines.append(f'in{name} {DMA + at:#x}')

    def length(self):
        return self.rng.choice((0, 1, 4, 5, 16, 100, 4096, self.rng.randrange(6000),
                                self.rng.randrange(0x14000)))

    def transfer(self):
        request = REQUEST + self.rng.choice((0, 0, 1, 0xff3, self.rng.randrange(0x4000)))
        target = TARGET + self.rng.choice((0, 3, 0xfff, self.rng.randrange(0x4000)))
        length = self.length()
        control = self.rng.choice((READ, READ, SKIP, 0, READ | SKIP, WRITE, READ | WRITE))
        kind = self.rng.randrange(12)
        if kind == 0:
            target = request - self.rng.randrange(32) # over itself
        elif kind == 1:
            target = self.ram - self.rng.randrange(64) # over the end
        elif kind == 2:
            target = self.rng.choice((0xe0000000, 0x100000000, 1 << 40, 1 << 63))
        elif kind == 3:
            length = self.rng.choice((0xffffffff, 0x80000000))
            control &= ~READ
        # Where an error stopped is not said: what comes after it starts anew.
        if kind in (1, 2) or self.rng.random() < 0.7:
            control |= SELECT | self.key() << 16
        if self.rng.random() < 0.2:
            control |= self.rng.choice((ERROR, 0x20, 0x8000))
        words = struct.pack('>IIQ', control, length, target)
        self.lines.append(f'write {request:#x} 16 0x{words.hex()}')
        self.lines += start_dma(request)
        self.lines.append(f'read {request:#x} 16')
        self.lines += [f'read {target - 4:#x} {min(length + 8, 0x3000)}'] \
            if target < self.ram - 0x20000 else []
        if kind in (1, 2):
            self.lines += [f'readb {self.ram - n:#x}' for n in range(1, 64, 9)]
        if kind in (1, 2) or control & WRITE:
            self.lines.append(f'outw {SELECTOR:#x} {self.key():#x}')
        if self.rng.random() < 0.1:
            self.lines.append(f'memset {self.ram - 16:#x} 16 0')
            self.lines += start_dma(self.rng.choice((self.ram - 16, self.ram - 8, 0xe0000000,
                                                     0x100000000, (1 << 64) - 8)))
            self.lines.append(f'outw {SELECTOR:#x} {self.key():#x}')


def user_options(folder):
    """The files of users, as files and as texts."""
    words = []
    for name, data in USERS:
        path = os.path.join(folder, name.replace('/', '-'))
        with open(path, 'wb') as file:
            file.write(data)
        words += ['-fw_cfg', f'name={name},file={path}']
    return words


class FwCfgPair(peer.Pair):
    """Both programs; with files of users, these have the same keys."""

    def __init__(self, programs, options, scratch, users=False):
        self.vms = []
        self.differences = []
        if users:
            options = options + user_options(scratch)
        for program in programs:
            self.vms.append(peer.VM(program, options, scratch))
        if not users:
            return
        files = [directory(vm) for vm in self.vms]
        first = [names[USERS[0][0]][1] for names in files]
        for n in (0, 1):
            if first[n] < first[1 - n]:
                padding = [word for i in range(first[1 - n] - first[n])
                           for word in ('-fw_cfg', f'name=opt/a{i:02},string=x')]
                self.vms[n].end()
                self.vms[n] = peer.VM(programs[n], padding + options, scratch)
        files = [directory(vm) for vm in self.vms]
        self.entries = [files[0][name] for name, _ in USERS]
        self.same('files of users', [[names[name] for name, _ in USERS] for names in files])


def by_chance(pair_of, rng, options):
    pair = pair_of(['-m', '2'] + options, users=True)
    if pair.differences:
        return
    for number in range(PROGRAMS):
        program = Program(rng, [key for _, key in pair.entries], 2 * MIB)
        if not pair.run(program.lines, f'program {number}'):
            return
        if rng.random() < 0.2:
            pair.reset()


def ports_and_dma(pair_of, rng):
    """Programs of accesses by ports and by DMA"""
    by_chance(pair_of, rng, [])


def without_dma(pair_of, rng):
    """The same where there is no DMA"""
    by_chance(pair_of, rng, ['-global', 'fw_cfg_io.dma_enabled=off'])


def users(pair_of, rng):
    """Files of users, read by DMA"""
    pair = pair_of(['-m', '128'], users=True)
    for (name, data), entry in zip(USERS, pair.entries):
        pair.same(name, [content(pair.vms[0], entry), data])
        pair.same(name, [content(vm, entry) for vm in pair.vms])


if __name__ == '__main__':
    sys.exit(peer.main((machines, acpi, smbios, users, ports_and_dma, without_dma), FwCfgPair))
