# SPDX-License-Identifier: GPL-2.0-or-later
"""
Usage: compare-suspend.py FLATVIEW QEMU

Sleep on the board pc beside QEMU 7.2: what a guest writes to ACPI's control register, and
what a user does, by chance; run state, errors, events, registers and RAM are the same
after each. FLATVIEW_STEPS=N does more. Prints TAP.

The processor runs, but only waits. Not compared:

- what PIIX4's base is after a reset: QEMU keeps it (82371AB, 7.1.19: 1h)
- the status of the timer, which QEMU sets after each reset (82371AB, 7.2.1: when the
  counter's top bit changes)
- the power button where it is not enabled: QEMU does not note it (ACPI 4.8.3.1.1)
- byte 0x0f of the clock's memory after a reset that is not to wake: QEMU leaves the order
  to wake there, and firmware follows it
- registers of the host bridge after a reset that is not to wake: QEMU keeps them
"""
import json
import os
import sys
import time

import peer

STEPS = int(os.environ.get('FLATVIEW_STEPS', '60'))
PM = 0x600
BUTTON = 0x100
CHECKED = 0xfffe  # of the status
RAM = 0x10000
PATIENCE = 10  # seconds


def waiting_firmware(scratch):
    """A processor that waits: cli; hlt; jmp."""
    path = os.path.join(scratch, 'bios')
    with open(path, 'wb') as file:
        file.write(b'\xf4' * 0xfff0 + b'\xfa\xf4\xeb\xfd' + b'\xf4' * 12)
    return path


def ask(vm, command, **arguments):
    """What a command returns, or the words of its error."""
    vm.files[1].write(json.dumps({'execute': command, 'arguments': arguments}) + '\n')
    vm.files[1].flush()
    while True:
        reply = json.loads(vm.files[1].readline())
        if 'event' in reply:
            vm.events.append(reply['event'])
        else:
            return reply['return'] if 'return' in reply else reply['error']['desc']


def state_of(vm):
    """What is the same once both have done all that was asked for."""
    status = ask(vm, 'query-status')
    vm.qtest('outb 0x70 0x0f')
    return {
        'state': (status['status'], status['running']),
        'events': sorted(vm.events),
        'why it starts': vm.qtest('inb 0x71'),
        'PAM': [vm.config_get(0, reg) for reg in range(0x59, 0x60)],
        'status': (vm.qtest(f'inw {PM}') or 0) & CHECKED,
        'enable': vm.qtest(f'inw {PM + 2}'),
        'control': vm.qtest(f'inw {PM + 4}'),
        'events of devices': vm.qtest('inl 0xafe0'),
        'slots that came': vm.qtest('inl 0xae00'),
        'slot 5': vm.config_get(5 << 3, 0),
        'RAM': vm.qtest(f'readl {RAM}'),
    }


def place(pair):
    pair.config_set(0x0b, 0x40, PM | 1, 'l')
    pair.config_set(0x0b, 0x80, 1)


def settle(pair, what):
    """
    Both come to the same state, the registers where they were: to wake up, and a reset,
    may take a moment. Events of this step are forgotten.
    """
    end = time.monotonic() + PATIENCE
    while True:
        if not all(pair.config_get(0x0b, 0x80)):
            place(pair)
        states = [state_of(vm) for vm in pair.vms]
        if states[0] == states[1]:
            break
        if time.monotonic() > end:
            for name, value in states[0].items():
                pair.same(f'{what}: {name}', [value, states[1][name]])
            break
        time.sleep(0.02)
    for vm in pair.vms:
        vm.events = []
    return states[0]['state'][0]


def key(vm):
    return [ask(vm, 'input-send-event', events=[
        {'type': 'key', 'data': {'down': down, 'key': {'type': 'qcode', 'data': 'a'}}}])
        for down in (True, False)]


def step(pair, rng, state):
    """One thing that somebody does; returns its name."""
    def all_ask(command, **arguments):
        pair.same(command, [ask(vm, command, **arguments) for vm in pair.vms])
        return command

    chance = rng.randrange(12)
    if chance < 4:
        if state != 'running':
            return 'nothing'
        kept = rng.choice([1, 1, 1, 3, 4, 5, 6, 7])
        value = kept << 10 | rng.choice([0, 0x2000, 0x2000]) | rng.choice([0, 1, 2])
        pair.both(f'outw {PM + 4} {value}')
        return f'control {value:#x}'
    if chance < 6:
        return all_ask('system_wakeup')
    if chance == 6:
        # Where the guest does not sleep, the interrupt is no matter of this test.
        value = rng.choice([0, BUTTON, 0x20, 0x520]) | BUTTON
        pair.both(f'outw {PM + 2} {value}')
        return f'enable {value:#x}'
    if chance == 7:
        pair.both(f'outw {PM} {rng.choice([0xffff, 0x8000, BUTTON])}')
        return 'status'
    if chance == 8:
        value = rng.randrange(1 << 32)
        pair.both(f'writel {RAM} {value}')
        pair.config_set(0, 0x59, rng.choice([0x30, 0x10, 0]))
        pair.config_set(0, rng.randrange(0x5a, 0x60), rng.choice([0x33, 0x31, 0x13]))
        return 'RAM'
    if chance == 9 and state == 'suspended':
        pair.same('key', [key(vm) for vm in pair.vms])
        return 'key'
    if chance == 10:
        pair.both(f'outw {PM + 2} {BUTTON}')
        return all_ask('system_powerdown')
    return all_ask(rng.choice(['stop', 'cont', 'cont', 'system_reset', 'query-status']))


def by_chance(pair_of, rng):
    """A guest that sleeps, and those who wake it"""
    for options in ([], ['-global', 'PIIX4_PM.disable_s3=1']):
        pair = pair_of(['-m', '16'] + options)
        for vm in pair.vms:
            ask(vm, 'cont')
        pair.both(f'outw {PM + 2} {BUTTON}')
        state = settle(pair, 'start')
        done = []
        for _ in range(STEPS):
            done.append(step(pair, rng, state))
            if done[-1] == 'system_reset':
                time.sleep(0.1)
                pair.both('outb 0x70 0x0f')
                pair.both('outb 0x71 0')
                for reg in range(0x59, 0x60):
                    pair.config_set(0, reg, 0)
            state = settle(pair, ', '.join(done[-8:]))
            if pair.enough():
                return


def hot_plug(pair_of, rng):
    """Devices that come, and that are to go, while the guest sleeps"""
    pair = pair_of(['-m', '16'])
    for vm in pair.vms:
        ask(vm, 'cont')
    settle(pair, 'start')
    for what in ('device_add', 'device_del'):
        pair.both(f'outw {PM + 4} 0x2400')
        settle(pair, 'asleep')
        if what == 'device_add':
            arguments = {'driver': 'edu', 'id': 'e', 'addr': '5'}
        else:
            arguments = {'id': 'e'}
        pair.same(what, [ask(vm, what, **arguments) for vm in pair.vms])
        settle(pair, what)
        pair.same('system_wakeup', [ask(vm, 'system_wakeup') for vm in pair.vms])
        settle(pair, f'awake after {what}')


class Pair(peer.Pair):
    """Both with a processor that waits, and running."""

    def __init__(self, programs, options, scratch, accel='tcg'):
        super().__init__(programs, options + ['-bios', waiting_firmware(scratch)], scratch,
                         accel)


if __name__ == '__main__':
    sys.exit(peer.main([by_chance, hot_plug], Pair))
