/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * info pci: what query-pci answers, in the form that QEMU has established.
 */
#include <inttypes.h>

#include "monitor/hmp-commands.h"

static int64_t int_of(JsonObject *object, const char *name)
{
    return json_object_get_int_member_with_default(object, name, 0);
}

static void print_range(const HMPCall *call, JsonObject *bus, const char *name,
                        const char *title, int width)
{
    JsonObject *range = json_object_get_object_member(bus, name);

    hmp_printf(call, "      %s range [0x%0*" PRIx64 ", 0x%0*" PRIx64 "]\n", title,
               width, int_of(range, "base"), width, int_of(range, "limit"));
}

static void print_bridge(const HMPCall *call, JsonObject *bridge)
{
    JsonObject *bus = json_object_get_object_member(bridge, "bus");

    hmp_printf(call, "      BUS %" PRId64 ".\n", int_of(bus, "number"));
    hmp_printf(call, "      secondary bus %" PRId64 ".\n", int_of(bus, "secondary"));
    hmp_printf(call, "      subordinate bus %" PRId64 ".\n",
               int_of(bus, "subordinate"));
    print_range(call, bus, "io_range", "IO", 4);
    print_range(call, bus, "memory_range", "memory", 8);
    print_range(call, bus, "prefetchable_range", "prefetchable memory", 8);
}

static void print_region(const HMPCall *call, JsonObject *region)
{
    uint64_t addr = int_of(region, "address"), last = addr + int_of(region, "size") - 1;

    hmp_printf(call, "      BAR%" PRId64 ": ", int_of(region, "bar"));
    if (!json_object_has_member(region, "prefetch")) {
        hmp_printf(call, "I/O at 0x%04" PRIx64 " [0x%04" PRIx64 "].\n", addr, last);
        return;
    }
    hmp_printf(call, "%d bit%s memory at 0x%08" PRIx64 " [0x%08" PRIx64 "].\n",
               json_object_get_boolean_member(region, "mem_type_64") ? 64 : 32,
               json_object_get_boolean_member(region, "prefetch") ? " prefetchable"
                                                                  : "",
               addr, last);
}

static void print_functions(const HMPCall *call, JsonArray *list);

static void print_function(const HMPCall *call, JsonObject *info)
{
    JsonObject *class = json_object_get_object_member(info, "class_info");
    JsonObject *id = json_object_get_object_member(info, "id");
    JsonArray *regions = json_object_get_array_member(info, "regions");

    hmp_printf(call, "  Bus %2" PRId64 ", device %3" PRId64 ", function %" PRId64 ":\n",
               int_of(info, "bus"), int_of(info, "slot"), int_of(info, "function"));
    if (json_object_has_member(class, "desc")) {
        hmp_printf(call, "    %s", json_object_get_string_member(class, "desc"));
    } else {
        hmp_printf(call, "    Class %04" PRId64, int_of(class, "class"));
    }
    hmp_printf(call, ": PCI device %04" PRIx64 ":%04" PRIx64 "\n", int_of(id, "vendor"),
               int_of(id, "device"));
    if (json_object_has_member(id, "subsystem")) {
        hmp_printf(call, "      PCI subsystem %04" PRIx64 ":%04" PRIx64 "\n",
                   int_of(id, "subsystem-vendor"), int_of(id, "subsystem"));
    }
    if (json_object_has_member(info, "irq")) {
        hmp_printf(call, "      IRQ %" PRId64 ", pin %c\n", int_of(info, "irq"),
                   (char)('A' + int_of(info, "irq_pin") - 1));
    }
    if (json_object_has_member(info, "pci_bridge")) {
        print_bridge(call, json_object_get_object_member(info, "pci_bridge"));
    }
    for (unsigned i = 0; i < json_array_get_length(regions); i++) {
        print_region(call, json_array_get_object_element(regions, i));
    }
    hmp_printf(call, "      id \"%s\"\n", json_object_get_string_member(info, "qdev_id"));
    if (json_object_has_member(info, "pci_bridge")) {
        JsonObject *bridge = json_object_get_object_member(info, "pci_bridge");

        if (json_object_has_member(bridge, "devices")) {
            print_functions(call, json_object_get_array_member(bridge, "devices"));
        }
    }
}

static void print_functions(const HMPCall *call, JsonArray *list)
{
    for (unsigned i = 0; i < json_array_get_length(list); i++) {
        print_function(call, json_array_get_object_element(list, i));
    }
}

bool hmp_info_pci(const HMPCall *call, GError **err)
{
    g_autoptr(JsonNode) result = NULL;
    JsonArray *list;

    if (!hmp_qmp(call, "query-pci", NULL, &result, err)) {
        return false;
    }
    list = json_node_get_array(result);
    for (unsigned i = 0; i < json_array_get_length(list); i++) {
        print_functions(call, json_object_get_array_member(
                                  json_array_get_object_element(list, i), "devices"));
    }
    return true;
}
