/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programming errors are found at the call that makes them. See docs/memory.txt. */
#include "memory.h"

static const MemoryRegionOps ops;

static void on_error(const char *message, void *opaque)
{
    printf("%s\n", message);
}

int main(void)
{
    static MemoryRegion root, a, b, window;

    memory_set_error_handler(on_error, NULL); /* else: print and abort */
    memory_region_init(&root, "root", 0x1000);
    memory_region_init_io(&a, &ops, NULL, "timer", 0x20);
    memory_region_init_io(&b, &ops, NULL, "uart", 8);
    memory_region_init_alias(&window, "window", &root, 0, 0x1000);
    memory_region_add_subregion(&root, 0x100, &a);

    memory_region_add_subregion(&root, 0x118, &b);   /* overlaps */
    memory_region_add_subregion(&root, 0, &window);  /* contains itself */
    memory_region_destroy(&a);                       /* still in use */

    /* In the right order. */
    memory_region_del_subregion(&root, &a);
    memory_region_destroy(&a);
    memory_region_destroy(&b);
    memory_region_destroy(&window);
    memory_region_destroy(&root);
    return 0;
}
