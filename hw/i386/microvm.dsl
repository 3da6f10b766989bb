/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The DSDT of the board microvm: its devices on ports, the power button, and the
 * power-off state.
 */
#include "microvm-map.h"
#include "../acpi/pm.h"

DefinitionBlock ("", "DSDT", 2, "FLATVW", "MICROVM", 1)
{
    /* The loader puts the real value here; this one makes it four bytes wide. */
    Name (DEVS, 0x5A5A5A5A)

    Name (\_S5, Package () { ACPI_PM_SLP_TYP_S5, 0, 0, 0 })

    Scope (\_SB)
    {
        Device (PIC)
        {
            Name (_HID, EisaId ("PNP0000"))
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, MICROVM_PIC0_PORT, MICROVM_PIC0_PORT, 0, 2)
                IO (Decode16, MICROVM_PIC1_PORT, MICROVM_PIC1_PORT, 0, 2)
                IO (Decode16, MICROVM_ELCR_PORT, MICROVM_ELCR_PORT, 0, 2)
                IRQNoFlags () { 2 }
            })
        }

        Device (PIT)
        {
            Name (_HID, EisaId ("PNP0100"))
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, MICROVM_PIT_PORT, MICROVM_PIT_PORT, 0, 4)
                IRQNoFlags () { MICROVM_PIT_IRQ }
            })
        }

        Device (SPKR)
        {
            Name (_HID, EisaId ("PNP0800"))
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, MICROVM_SPEAKER_PORT, MICROVM_SPEAKER_PORT, 0, 1)
            })
        }

        Device (KBD)
        {
            Name (_HID, EisaId ("PNP0303"))
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, MICROVM_I8042_DATA_PORT,
                    MICROVM_I8042_DATA_PORT, 0, 1)
                IO (Decode16, MICROVM_I8042_COMMAND_PORT,
                    MICROVM_I8042_COMMAND_PORT, 0, 1)
                IRQNoFlags () { MICROVM_I8042_IRQ }
            })
        }

        Device (RTC)
        {
            Name (_HID, EisaId ("PNP0B00"))
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, MICROVM_RTC_PORT, MICROVM_RTC_PORT, 0, 2)
                IRQNoFlags () { MICROVM_RTC_IRQ }
            })
        }

        Device (COM1)
        {
            Name (_HID, EisaId ("PNP0501"))
            Name (_UID, 1)
            Method (_STA) { Return (PRES (MICROVM_HAS_COM1)) }
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, MICROVM_COM1_PORT, MICROVM_COM1_PORT, 0, 8)
                IRQNoFlags () { MICROVM_COM1_IRQ }
            })
        }

        Device (COM2)
        {
            Name (_HID, EisaId ("PNP0501"))
            Name (_UID, 2)
            Method (_STA) { Return (PRES (MICROVM_HAS_COM2)) }
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, MICROVM_COM2_PORT, MICROVM_COM2_PORT, 0, 8)
                IRQNoFlags () { MICROVM_COM2_IRQ }
            })
        }

        Device (COM3)
        {
            Name (_HID, EisaId ("PNP0501"))
            Name (_UID, 3)
            Method (_STA) { Return (PRES (MICROVM_HAS_COM3)) }
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, MICROVM_COM3_PORT, MICROVM_COM3_PORT, 0, 8)
                IRQNoFlags () { MICROVM_COM3_IRQ }
            })
        }

        Device (COM4)
        {
            Name (_HID, EisaId ("PNP0501"))
            Name (_UID, 4)
            Method (_STA) { Return (PRES (MICROVM_HAS_COM4)) }
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, MICROVM_COM4_PORT, MICROVM_COM4_PORT, 0, 8)
                IRQNoFlags () { MICROVM_COM4_IRQ }
            })
        }

        /* Ports of no device that has a driver. */
        Device (PMIO)
        {
            Name (_HID, EisaId ("PNP0C02"))
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, MICROVM_ACPI_PM_PORT, MICROVM_ACPI_PM_PORT, 0,
                    ACPI_PM_SIZE)
            })
        }

        Device (PEVT)
        {
            Name (_HID, "QEMU0001")
            Method (_STA) { Return (PRES (MICROVM_HAS_PVPANIC)) }
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, MICROVM_PVPANIC_PORT, MICROVM_PVPANIC_PORT, 0, 1)
            })
        }

        Device (PWRB)
        {
            Name (_HID, EisaId ("PNP0C0C"))
        }

        /* Its interrupt says that something of the event status is set. */
        Device (GED)
        {
            Name (_HID, "ACPI0013")
            Name (_CRS, ResourceTemplate ()
            {
                Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive)
                {
                    MICROVM_ACPI_PM_IRQ
                }
            })
            OperationRegion (EVST, SystemIO,
                             MICROVM_ACPI_PM_PORT + ACPI_PM_EVENT, 1)
            Field (EVST, ByteAcc, NoLock, WriteAsZeros)
            {
                BTN, 1
            }
            Method (_EVT, 1, Serialized)
            {
                If (BTN)
                {
                    BTN = 1
                    Notify (PWRB, 0x80)
                }
            }
        }

        /* What _STA answers for the devices that may be absent. */
        Method (PRES, 1)
        {
            If (DEVS & Arg0)
            {
                Return (0x0F)
            }
            Return (0)
        }
    }
}
