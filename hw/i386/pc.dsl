/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The DSDT of the board pc: the root bus of PCI with its windows, interrupt routes and
 * slots, devices on ports, the power-off state. ACPI specification 6.4, chapter 6;
 * processors and slots behind bridges are in a table of their own (pc-acpi.c).
 */
#include "pc-map.h"
#include "../acpi/pcihp.h"
#include "../acpi/piix4.h"

/* A PCI interrupt link: PIIX3's route register @reg says to which interrupt. */
#define LINK(name, uid, reg)                                                     \
    Device (name)                                                                \
    {                                                                            \
        Name (_HID, EisaId ("PNP0C0F"))                                          \
        Name (_UID, uid)                                                         \
        Name (_PRS, ResourceTemplate ()                                          \
        {                                                                        \
            Interrupt (ResourceConsumer, Level, ActiveHigh, Shared)              \
            {                                                                    \
                5, 10, 11                                                        \
            }                                                                    \
        })                                                                       \
        Method (_STA) { Return (LSTA (reg)) }                                    \
        Method (_DIS) { reg |= ROUTE_OFF }                                       \
        Method (_CRS) { Return (LCRS (reg)) }                                    \
        Method (_SRS, 1) { reg = LIRQ (Arg0) }                                   \
    }
#define ROUTE_OFF 0x80

/* Where the four pins of a slot lead. */
#define ROUTES(slot, a, b, c, d)                                                 \
    Package () { 0x##slot##FFFF, 0, a, 0 },                                      \
    Package () { 0x##slot##FFFF, 1, b, 0 },                                      \
    Package () { 0x##slot##FFFF, 2, c, 0 },                                      \
    Package () { 0x##slot##FFFF, 3, d, 0 }
#define ROUTES4(slot0, slot1, slot2, slot3)                                      \
    ROUTES (slot0, LNKD, LNKA, LNKB, LNKC),                                      \
    ROUTES (slot1, LNKA, LNKB, LNKC, LNKD),                                      \
    ROUTES (slot2, LNKB, LNKC, LNKD, LNKA),                                      \
    ROUTES (slot3, LNKC, LNKD, LNKA, LNKB)

/* A slot whose functions come and go. */
#define SLOT(slot)                                                               \
    Device (S0##slot)                                                            \
    {                                                                            \
        Name (_ADR, 0x##slot##0000)                                              \
        Name (_SUN, 0x##slot)                                                    \
        Method (_EJ0, 1) { GIVE (0, 0x##slot) }                                  \
    }
#define TELL(slot)                                                               \
    If (Arg0 & (1 << 0x##slot)) { Notify (S0##slot, Arg1) }
#define FOR_SLOTS(do)                                                            \
    do (02) do (03) do (04) do (05) do (06) do (07) do (08) do (09)              \
    do (0A) do (0B) do (0C) do (0D) do (0E) do (0F) do (10) do (11)              \
    do (12) do (13) do (14) do (15) do (16) do (17) do (18) do (19)              \
    do (1A) do (1B) do (1C) do (1D) do (1E) do (1F)

#define COM(name, uid, bit, port, irq)                                           \
    Device (name)                                                                \
    {                                                                            \
        Name (_HID, EisaId ("PNP0501"))                                          \
        Name (_UID, uid)                                                         \
        Method (_STA) { Return (PRES (bit)) }                                    \
        Name (_CRS, ResourceTemplate ()                                          \
        {                                                                        \
            IO (Decode16, port, port, 0, 8)                                      \
            IRQNoFlags () { irq }                                                \
        })                                                                       \
    }

DefinitionBlock ("", "DSDT", 2, "FLATVW", "PC      ", 1)
{
    /* The board puts the real values here; these make them wide enough. */
    Name (DEVS, 0x5A5A5A5A)         /* PC_HAS_ bits */
    Name (P0S, 0x5A5A5A5A)          /* start of the hole below 4 GiB */
    /* SeaBIOS looks for devices here, too. It knows no numbers of 64 bits, and goes on
     * after the scope in which it met one. */
    Scope (\)
    {
        Name (P1S, 0x5A5A5A5A5A5A5A5A)  /* first and last byte of the one above; */
        Name (P1E, 0x5A5A5A5A5A5A5A5A)  /* 0: there is none */
    }

    Name (\_S5, Package () { PIIX4_SLP_TYP_SOFT_OFF, PIIX4_SLP_TYP_SOFT_OFF, 0, 0 })

    /* What _STA answers for the devices that may be absent. */
    Method (PRES, 1)
    {
        If (DEVS & Arg0)
        {
            Return (0x0F)
        }
        Return (0)
    }

    Scope (\_SB)
    {
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A03"))
            Name (_UID, 0)

            Method (_CRS, 0, Serialized)
            {
                Name (LOW, ResourceTemplate ()
                {
                    WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
                                   0, 0, 255, 0, 256)
                    IO (Decode16, PC_PCI_CONFIG_ADDRESS, PC_PCI_CONFIG_ADDRESS, 1, 8)
                    WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode,
                            EntireRange, 0, 0, 0xCF7, 0, 0xCF8)
                    WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode,
                            EntireRange, 0, 0xD00, 0xFFFF, 0, 0xF300)
                    DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
                                 Cacheable, ReadWrite, 0, 0xA0000, 0xBFFFF, 0, 0x20000)
                    DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
                                 NonCacheable, ReadWrite, 0, 0xE0000000, 0xFEBFFFFF, 0,
                                 0x1EC00000, , , HOLE)
                })
                Name (HIGH, ResourceTemplate ()
                {
                    QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
                                 Cacheable, ReadWrite, 0, 0x100000000, 0x1FFFFFFFF, 0,
                                 0x100000000, , , WIDE)
                })
                CreateDWordField (LOW, HOLE._MIN, LMIN)
                CreateDWordField (LOW, HOLE._MAX, LMAX)
                CreateDWordField (LOW, HOLE._LEN, LLEN)
                CreateQWordField (HIGH, WIDE._MIN, HMIN)
                CreateQWordField (HIGH, WIDE._MAX, HMAX)
                CreateQWordField (HIGH, WIDE._LEN, HLEN)

                /* The ranges in the templates are for the compiler. */
                LMIN = P0S
                LMAX = PC_PCI_HOLE_END
                LLEN = (PC_PCI_HOLE_END + 1) - P0S
                If (P1E == 0)
                {
                    Return (LOW)
                }
                HMIN = P1S
                HMAX = P1E
                HLEN = (P1E + 1) - P1S
                Return (ConcatenateResTemplate (LOW, HIGH))
            }

            Name (_PRT, Package ()
            {
                ROUTES (00, LNKD, LNKA, LNKB, LNKC),
                /* The first pin of the board's own chips is that of ACPI. */
                ROUTES (01, LNKS, LNKB, LNKC, LNKD),
                ROUTES (02, LNKB, LNKC, LNKD, LNKA),
                ROUTES (03, LNKC, LNKD, LNKA, LNKB),
                ROUTES4 (04, 05, 06, 07),
                ROUTES4 (08, 09, 0A, 0B),
                ROUTES4 (0C, 0D, 0E, 0F),
                ROUTES4 (10, 11, 12, 13),
                ROUTES4 (14, 15, 16, 17),
                ROUTES4 (18, 19, 1A, 1B),
                ROUTES4 (1C, 1D, 1E, 1F)
            })

            /* Hot plug */
            OperationRegion (HPIO, SystemIO, PC_PCI_HOTPLUG_PORT, PCIHP_SIZE)
            Field (HPIO, DWordAcc, NoLock, WriteAsZeros)
            {
                Offset (PCIHP_UP), HPUP, 32,
                Offset (PCIHP_DOWN), HPDN, 32,
                Offset (PCIHP_EJECT), HPEJ, 32,
                Offset (PCIHP_SELECT), HPSL, 32
            }
            Mutex (HPLK, 0)         /* from the selection to its use */

            FOR_SLOTS (SLOT)

            Method (ALL, 2) { FOR_SLOTS (TELL) }

            /* For all buses, of which pc-acpi-slots.c knows: Arg0 is a bus's number. */
            Method (CAME, 1)
            {
                Acquire (HPLK, 0xFFFF)
                HPSL = Arg0
                Local0 = HPUP
                Release (HPLK)
                Return (Local0)
            }

            Method (GOES, 1)
            {
                Acquire (HPLK, 0xFFFF)
                HPSL = Arg0
                Local0 = HPDN
                Release (HPLK)
                Return (Local0)
            }

            /* Of which slots that were given up are not empty yet. */
            Method (REST, 1)
            {
                Acquire (HPLK, 0xFFFF)
                HPSL = Arg0
                Local0 = HPEJ
                Release (HPLK)
                Return (Local0)
            }

            /* Slot Arg1 is empty a moment later: wait for that, a second at most. */
            Method (GIVE, 2)
            {
                Local0 = 1 << Arg1
                Local1 = 200
                Acquire (HPLK, 0xFFFF)
                HPSL = Arg0
                HPEJ = Local0
                Release (HPLK)
                While (Local1 && (REST (Arg0) & Local0))
                {
                    Sleep (5)
                    Local1--
                }
            }

            Device (HPRS)
            {
                Name (_HID, EisaId ("PNP0A06"))
                Name (_UID, "PCI Hotplug resources")
                Name (_STA, 0x0B)
                Name (_CRS, ResourceTemplate ()
                {
                    IO (Decode16, PC_PCI_HOTPLUG_PORT, PC_PCI_HOTPLUG_PORT, 1,
                        PC_PCI_HOTPLUG_SIZE)
                })
            }

            Device (GPRS)
            {
                Name (_HID, EisaId ("PNP0A06"))
                Name (_UID, "GPE0 resources")
                Name (_STA, 0x0B)
                Name (_CRS, ResourceTemplate ()
                {
                    IO (Decode16, PC_GPE0_PORT, PC_GPE0_PORT, 1, PC_GPE0_SIZE)
                })
            }

            Device (ISA)
            {
                Name (_ADR, 0x00010000)
                OperationRegion (PIRQ, PCI_Config, PC_PIRQ_ROUTES, 4)
                Field (PIRQ, ByteAcc, NoLock, Preserve)
                {
                    RTA, 8,
                    RTB, 8,
                    RTC, 8,
                    RTD, 8
                }

                Device (KBD)
                {
                    Name (_HID, EisaId ("PNP0303"))
                    Method (_STA) { Return (PRES (PC_HAS_I8042)) }
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, PC_I8042_DATA_PORT, PC_I8042_DATA_PORT, 1, 1)
                        IO (Decode16, PC_I8042_COMMAND_PORT, PC_I8042_COMMAND_PORT, 1,
                            1)
                        IRQNoFlags () { PC_KEYBOARD_IRQ }
                    })
                }

                Device (MOU)
                {
                    Name (_HID, EisaId ("PNP0F13"))
                    Method (_STA) { Return (PRES (PC_HAS_I8042)) }
                    Name (_CRS, ResourceTemplate ()
                    {
                        IRQNoFlags () { PC_MOUSE_IRQ }
                    })
                }

                Device (RTC0)
                {
                    Name (_HID, EisaId ("PNP0B00"))
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, PC_RTC_PORT, PC_RTC_PORT, 1, 2)
                        IRQNoFlags () { PC_RTC_IRQ }
                    })
                }

                COM (COM1, 1, PC_HAS_COM1, PC_COM1_PORT, PC_COM1_IRQ)
                COM (COM2, 2, PC_HAS_COM2, PC_COM2_PORT, PC_COM2_IRQ)
                COM (COM3, 3, PC_HAS_COM3, PC_COM3_PORT, PC_COM3_IRQ)
                COM (COM4, 4, PC_HAS_COM4, PC_COM4_PORT, PC_COM4_IRQ)

                Device (PEVT)
                {
                    Name (_HID, "QEMU0001")
                    Method (_STA) { Return (PRES (PC_HAS_PVPANIC)) }
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, PC_PVPANIC_PORT, PC_PVPANIC_PORT, 1, 1)
                    })
                }
            }
        }

        /* What is behind the ports is the board's, not the bus's. */
        Device (FWCF)
        {
            Name (_HID, "QEMU0002")
            Name (_STA, 0x0B)
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, PC_FW_CFG_PORT, PC_FW_CFG_PORT, 1, 12)
            })
        }

        Device (HPET)
        {
            Name (_HID, EisaId ("PNP0103"))
            Name (_UID, 0)
            Method (_STA) { Return (PRES (PC_HAS_HPET)) }
            Name (_CRS, ResourceTemplate ()
            {
                Memory32Fixed (ReadOnly, PC_HPET_BASE, PC_HPET_SIZE)
            })
        }

        /* ---- interrupt links ---- */

        LINK (LNKA, 0, \_SB.PCI0.ISA.RTA)
        LINK (LNKB, 1, \_SB.PCI0.ISA.RTB)
        LINK (LNKC, 2, \_SB.PCI0.ISA.RTC)
        LINK (LNKD, 3, \_SB.PCI0.ISA.RTD)

        Device (LNKS)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 4)
            Name (_STA, 0x0B)
            Name (_PRS, ResourceTemplate ()
            {
                Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) { PC_SCI_IRQ }
            })
            Name (_CRS, ResourceTemplate ()
            {
                Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) { PC_SCI_IRQ }
            })
            Method (_DIS) { }
            Method (_SRS, 1) { }
        }

        Method (LSTA, 1)
        {
            If (Arg0 & ROUTE_OFF)
            {
                Return (0x09)
            }
            Return (0x0B)
        }

        Method (LCRS, 1, Serialized)
        {
            Name (WIRS, ResourceTemplate ()
            {
                Interrupt (ResourceConsumer, Level, ActiveHigh, Shared, , , WIRE) { 0 }
            })
            CreateDWordField (WIRS, WIRE._INT, WINT)
            WINT = 0
            If ((Arg0 & ROUTE_OFF) == 0)
            {
                WINT = Arg0 & 0x0F
            }
            Return (WIRS)
        }

        /* The interrupt in a resource of the form of _PRS. */
        Method (LIRQ, 1)
        {
            CreateDWordField (Arg0, 5, WINT)
            Return (WINT)
        }
    }

    Scope (\_GPE)
    {
        Name (_HID, "ACPI0006") /* _E01 is in pc-acpi-slots.c */
    }
}
