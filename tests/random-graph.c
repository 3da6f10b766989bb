/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random graphs; see random-graph.h.
 */
#include "random-graph.h"

#define LINK_ID 2000 /* the links of the chain count from here */

Node nodes[NODES_MAX];
Node *links;
unsigned links_nr;
void (*graph_committed)(void);
bool (*node_is_root)(const Node *node);
bool (*node_is_shown)(const Node *node);
EventNotifier bell;
unsigned transaction_depth;
static uint8_t ram[NODES_MAX][RAM_MAX] __attribute__((aligned(4096)));

/* ---- chance ------------------------------------------------------------------- */

static uint64_t chance_state;

void chance_seed(uint64_t seed)
{
    chance_state = seed * 0xd1342543de82ef95u;
}

static uint64_t chance(void)
{
    uint64_t x = chance_state += 0x9e3779b97f4a7c15u;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

uint64_t below(uint64_t n)
{
    return chance() % n;
}

bool one_in(unsigned n)
{
    return below(n) == 0;
}

Scale scale;

uint64_t any_number(void)
{
    return chance() >> below(64);
}

hwaddr some_offset(void)
{
    switch (scale) {
    case SCALE_BYTES:
        return below(48);
    case SCALE_SUBPAGE:
        return one_in(2) ? below(512) * 16 : below(8192);
    case SCALE_PAGES:
        return below(16) * TARGET_PAGE_SIZE;
    case SCALE_RAGGED:
        return below(12) * TARGET_PAGE_SIZE + (one_in(2) ? below(5) - 2 : 0);
    case SCALE_TOP:
        switch (below(4)) {
        case 0:
            return -(hwaddr)below(64);
        case 1:
            return -(hwaddr)(below(16) * TARGET_PAGE_SIZE);
        case 2:
            return ((hwaddr)1 << 63) + below(3) - 1;
        default:
            return below(2) ? below(4) : below(16) * TARGET_PAGE_SIZE;
        }
    default:
        return any_number();
    }
}

static uint64_t some_size(ModelKind kind)
{
    uint64_t size;

    switch (scale) {
    case SCALE_BYTES:
        size = 1 + below(40);
        break;
    case SCALE_SUBPAGE:
        size = one_in(2) ? 16 * (1 + below(256)) : 1 + below(4096);
        break;
    case SCALE_PAGES:
        size = TARGET_PAGE_SIZE * (1 + below(8));
        break;
    case SCALE_RAGGED:
        size = TARGET_PAGE_SIZE * (1 + below(6)) + below(5) - 2;
        break;
    case SCALE_TOP:
        size = one_in(3) ? UINT64_MAX - below(4)
                         : one_in(2) ? TARGET_PAGE_SIZE * (1 + below(8))
                                     : 1 + below(40);
        break;
    default:
        size = any_number();
        break;
    }
    if (kind == MODEL_CONTAINER && !one_in(4)) {
        size = scale == SCALE_BYTES ? 64 : one_in(2) ? UINT64_MAX : 0x10000;
    }
    if (kind == MODEL_RAM && size > RAM_MAX) {
        size = 1 + size % RAM_MAX;
    }
    if (kind == MODEL_ROM_DEVICE && size > ROMD_MAX) {
        size = 1 + size % ROMD_MAX;
    }
    return size ? size : 1;
}

/* ---- the device behind every I/O region ------------------------------------------ */

LastCall last_call;

static uint64_t device_read(void *opaque, hwaddr addr, unsigned size)
{
    Node *node = opaque;
    unsigned id = node->m.id + (node->m.kind == MODEL_ROM_DEVICE ? ROMD_ID : 0);

    last_call.nr++;
    last_call.node = node;
    last_call.addr = addr;
    last_call.size = size;
    last_call.is_write = false;
    return content_value(id, addr, size);
}

static void device_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    last_call.nr++;
    last_call.node = opaque;
    last_call.addr = addr;
    last_call.data = data;
    last_call.size = size;
    last_call.is_write = true;
}

static const MemoryRegionOps device_ops = {
    .read = device_read,
    .write = device_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};

/* ---- the same change in both graphs --------------------------------------------- */

Node *node_of(const ModelRegion *m)
{
    return (Node *)m;
}

/* Any that lives; NULL: there is none. */
static Node *some_node(void)
{
    Node *live[NODES_MAX];
    unsigned nr = 0;
    unsigned i;

    for (i = 0; i < NODES_MAX; i++) {
        if (nodes[i].live) {
            live[nr++] = &nodes[i];
        }
    }
    return nr ? live[below(nr)] : NULL;
}

Node *some_holder(void)
{
    Node *node = some_node();
    unsigned tries;

    for (tries = 0; node && !node->m.nr_subs && tries < 3; tries++) {
        node = some_node();
    }
    return node;
}

uint8_t *ram_of(Node *node)
{
    return ram[node - nodes];
}

/* An offset in @target at which another alias of it starts or ends. */
static hwaddr neighbour_offset(const Node *target)
{
    unsigned i;

    for (i = 0; i < NODES_MAX; i++) {
        if (nodes[i].live && nodes[i].m.target == &target->m && one_in(2)) {
            return nodes[i].m.alias_offset +
                   (one_in(4) ? 0 : (hwaddr)nodes[i].m.size);
        }
    }
    return some_offset();
}

/* An address in @parent at which another subregion of it starts or ends. */
static hwaddr neighbour_address(const Node *parent)
{
    const ModelRegion *other;

    if (!parent->m.nr_subs) {
        return some_offset();
    }
    other = parent->m.subs[below(parent->m.nr_subs)];
    return other->addr + (one_in(3) ? 0 : (hwaddr)other->size);
}

/* One that is not used; NULL: all are. */
static Node *free_node(void)
{
    unsigned id;

    for (id = 0; id < NODES_MAX; id++) {
        if (!nodes[id].live) {
            snprintf(nodes[id].name, sizeof(nodes[id].name), "node-%u", id);
            return &nodes[id];
        }
    }
    return NULL;
}

static unsigned free_nodes(void)
{
    unsigned nr = 0;
    unsigned id;

    for (id = 0; id < NODES_MAX; id++) {
        nr += !nodes[id].live;
    }
    return nr;
}

static unsigned id_of(const Node *node)
{
    return node >= nodes && node < nodes + NODES_MAX
               ? (unsigned)(node - nodes)
               : LINK_ID + (unsigned)(node - links);
}

static void node_make_alias(Node *node, Node *target, hwaddr offset,
                            uint64_t size)
{
    model_init_alias(&node->m, id_of(node), &target->m, offset, size);
    node->made_size = size;
    node->live = true;
    memory_region_init_alias(&node->mr, node->name, &target->mr, offset, size);
}

static void node_make(ModelKind kind)
{
    Node *node = free_node();
    Node *target = one_in(2) ? some_holder() : some_node();
    uint64_t size = some_size(kind);

    if (!node || (kind == MODEL_ALIAS && !target)) {
        return;
    }
    if (links_nr && one_in(3)) {
        target = &links[one_in(2) ? links_nr - 1 : below(links_nr)];
    }
    if (kind == MODEL_ALIAS) {
        node_make_alias(node, target,
                        one_in(3)   ? 0
                        : one_in(2) ? neighbour_offset(target)
                                    : some_offset(),
                        size);
        return;
    }
    model_init(&node->m, kind, node - nodes, size);
    node->made_size = size;
    node->live = true;
    switch (kind) {
    case MODEL_CONTAINER:
        memory_region_init(&node->mr, node->name, size);
        break;
    case MODEL_RAM:
        memory_region_init_ram_ptr(&node->mr, node->name, size, ram_of(node));
        break;
    case MODEL_IO:
        memory_region_init_io(&node->mr, &device_ops, node, node->name, size);
        break;
    case MODEL_ROM_DEVICE:
        memory_region_init_rom_device(&node->mr, &device_ops, node, node->name,
                                      size);
        content_fill(memory_region_get_ram_ptr(&node->mr), node->m.id, 0, size);
        break;
    default:
        memory_region_init_reservation(&node->mr, node->name, size);
        break;
    }
}

static void node_destroy(Node *node)
{
    if (node->m.parent || node->m.nr_subs || node->m.nr_aliases) {
        EXPECT_ERROR(memory_region_destroy(&node->mr), node->name,
                     node->m.parent ? node_of(node->m.parent)->name : NULL);
    } else if (node_is_root(node) ||
               (transaction_depth && node_is_shown(node))) {
        EXPECT_ERROR(memory_region_destroy(&node->mr), node->name, NULL);
    } else {
        if (node->m.target) {
            node->m.target->nr_aliases--;
        }
        memory_region_destroy(&node->mr);
        node->live = false;
    }
}

static bool can_hold(const Node *node)
{
    return node->m.kind != MODEL_ALIAS && node->m.kind != MODEL_RESERVATION &&
           node->m.nr_subs < MODEL_LINKS_MAX;
}

static void node_add_overlap(Node *parent, Node *sub, hwaddr addr, int priority)
{
    model_add(&parent->m, addr, &sub->m, true, priority);
    memory_region_add_subregion_overlap(&parent->mr, addr, &sub->mr, priority);
}

static void node_add(Node *parent, Node *sub)
{
    hwaddr addr = one_in(3) ? neighbour_address(parent) : some_offset();
    bool plain = one_in(3);
    int priority = (int)below(5) - 2;

    if (!can_hold(parent)) {
        return;
    }
    if (sub->m.parent) {
        EXPECT_ERROR(memory_region_add_subregion_overlap(&parent->mr, addr,
                                                         &sub->mr, priority),
                     sub->name, parent->name);
        return;
    }
    if (model_reaches(&sub->m, &parent->m)) {
        EXPECT_ERROR(memory_region_add_subregion_overlap(&parent->mr, addr,
                                                         &sub->mr, priority),
                     sub->name, parent->name);
        return;
    }
    if (plain && model_overlaps(&parent->m, &sub->m, addr)) {
        EXPECT_ERROR(memory_region_add_subregion(&parent->mr, addr, &sub->mr),
                     sub->name, NULL);
        return;
    }
    if (plain) {
        model_add(&parent->m, addr, &sub->m, false, 0);
        memory_region_add_subregion(&parent->mr, addr, &sub->mr);
    } else {
        node_add_overlap(parent, sub, addr, priority);
    }
}

/* Three windows of one region that continue each other, side by side, added in
 * any order: where nothing else comes between, one section. */
static void node_make_windows(void)
{
    static const unsigned orders[][3] = {
        { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
        { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
    };
    const unsigned *order = orders[below(G_N_ELEMENTS(orders))];
    Node *parent = some_holder();
    Node *target = some_node();
    uint64_t size = some_size(MODEL_ALIAS);
    hwaddr addr = some_offset(), offset = some_offset();
    unsigned i;

    if (!parent || !can_hold(parent) ||
        parent->m.nr_subs + 3 > MODEL_LINKS_MAX ||
        model_reaches(&target->m, &parent->m)) {
        return;
    }
    offset = one_in(2) ? 0 : (hwaddr)(offset % target->m.size);
    size = one_in(2) ? size : 1 + (hwaddr)target->m.size / 4;
    if (one_in(6)) {
        addr = -size * (1 + below(2)); /* the last ones at the space's start */
    }
    for (i = 0; i < 3; i++) {
        Node *node = free_node();

        if (node) {
            node_make_alias(node, target, offset + size * order[i], size);
            node_add_overlap(parent, node, addr + size * order[i],
                             one_in(4) ? 1 : 0);
            if (!transaction_depth) {
                graph_committed();
            }
        }
    }
}

static Node *node_make_container(uint64_t size)
{
    Node *node = free_node();

    model_init(&node->m, MODEL_CONTAINER, id_of(node), size);
    node->made_size = size;
    node->live = true;
    memory_region_init(&node->mr, node->name, size);
    return node;
}

/* One region seen through many aliases in a row; once in a sequence. */
static void chain_make(void)
{
    Node *target = some_holder();
    Node *node = free_node();
    unsigned i;

    if (links_nr || !target || !node) {
        return;
    }
    links_nr = one_in(40) ? 1000 : one_in(2) ? 10 : 1 + below(12);
    links = g_new0(Node, links_nr);
    for (i = 0; i < links_nr; i++) {
        hwaddr offset = one_in(2 * links_nr) ? some_offset() : 0;
        uint64_t size = one_in(2 * links_nr) ? some_size(MODEL_ALIAS)
                                             : UINT64_MAX;

        snprintf(links[i].name, sizeof(links[i].name), "link-%u", i);
        node_make_alias(&links[i], i ? &links[i - 1] : target, offset, size);
    }
    node_make_alias(node, &links[links_nr - 1], 0, some_size(MODEL_ALIAS));
    if (!model_reaches(&node->m, &nodes[0].m)) {
        node_add_overlap(&nodes[0], node, some_offset(), 1);
    }
}

/* Something in the middle of the chain. */
static void chain_change(void)
{
    Node *link = &links[below(links_nr)];
    bool on = !one_in(5);

    switch (below(6)) {
    case 0:
        link->m.alias_offset = on ? 0 : some_offset();
        memory_region_set_alias_offset(&link->mr, link->m.alias_offset);
        break;
    case 1: {
        uint64_t size = on ? UINT64_MAX : some_size(MODEL_ALIAS);

        link->m.size = model_size_of(size);
        memory_region_set_size(&link->mr, size);
        break;
    }
    case 2:
        link->m.readonly = !on;
        memory_region_set_readonly(&link->mr, !on);
        break;
    default:
        link->m.enabled = on || !link->m.enabled;
        memory_region_set_enabled(&link->mr, link->m.enabled);
        break;
    }
}

/* Containers that each have two aliases of the one before, side by side, one
 * over the other, or half. */
static void diamond_make(void)
{
    Node *below_it = some_node();
    unsigned levels = 1 + below(one_in(8) ? 5 : 3);
    uint64_t size;
    unsigned k;

    if (!below_it || free_nodes() < 3 * levels) {
        return;
    }
    size = MIN(below_it->m.size, some_size(MODEL_ALIAS));
    for (; levels; levels--) {
        Node *top = node_make_container(UINT64_MAX);
        hwaddr step = one_in(4) ? 0 : one_in(3) ? size / 2 : size;

        for (k = 0; k < 2; k++) {
            Node *alias = free_node();

            node_make_alias(alias, below_it, 0, one_in(8) ? size / 2 + 1 : size);
            node_add_overlap(top, alias, k * step, (int)below(2));
        }
        below_it = top;
        size = size > UINT64_MAX - step ? UINT64_MAX : size + step;
    }
    if (!model_reaches(&below_it->m, &nodes[0].m) && !one_in(4)) {
        hwaddr addr = one_in(2) ? 0 : some_offset();

        node_add_overlap(&nodes[0], below_it, addr, (int)below(3) - 1);
    }
}

Node *master_make(Node *target)
{
    uint64_t exact = MIN(target->m.size, UINT64_MAX);
    hwaddr offset = one_in(12) ? some_offset() : 0;
    uint64_t size = one_in(3)    ? exact
                    : one_in(12) ? some_size(MODEL_ALIAS)
                                 : UINT64_MAX;
    Node *root, *alias;

    if (free_nodes() < 2) {
        return NULL;
    }
    root = node_make_container(one_in(4) ? exact : UINT64_MAX);
    alias = free_node();
    node_make_alias(alias, target, offset, size);
    node_add_overlap(root, alias, one_in(12) ? some_offset() : 0, 0);
    if (one_in(2)) {
        alias->m.enabled = false;
        memory_region_set_enabled(&alias->mr, false);
    }
    return root;
}

void master_change(Node *root)
{
    Node *alias = root->m.nr_subs
                      ? node_of(root->m.subs[below(root->m.nr_subs)]) : NULL;
    bool plain = !one_in(3);

    if (!alias || alias->m.kind != MODEL_ALIAS) {
        return;
    }
    switch (below(10)) {
    case 0:
        alias->m.readonly = !plain;
        memory_region_set_readonly(&alias->mr, !plain);
        break;
    case 1:
        alias->m.alias_offset = plain ? 0 : some_offset();
        memory_region_set_alias_offset(&alias->mr, alias->m.alias_offset);
        break;
    case 2:
        alias->m.addr = plain ? 0 : some_offset();
        memory_region_set_address(&alias->mr, alias->m.addr);
        break;
    case 3: {
        uint64_t size = plain ? UINT64_MAX : some_size(MODEL_ALIAS);

        alias->m.size = model_size_of(size);
        memory_region_set_size(&alias->mr, size);
        break;
    }
    case 4:
        root->m.readonly = !plain;
        memory_region_set_readonly(&root->mr, !plain);
        break;
    case 5:
        root->m.enabled = plain;
        memory_region_set_enabled(&root->mr, plain);
        break;
    default:
        alias->m.enabled = !alias->m.enabled;
        memory_region_set_enabled(&alias->mr, alias->m.enabled);
        break;
    }
}

static void node_del(Node *sub)
{
    if (sub->m.parent) {
        Node *parent = node_of(sub->m.parent);

        model_del(&sub->m);
        memory_region_del_subregion(&parent->mr, &sub->mr);
    }
}

static void node_resize(Node *node)
{
    uint64_t size = some_size(node->m.kind);

    if (node->m.kind == MODEL_ROM_DEVICE ||
        (node->m.kind == MODEL_RAM && size > node->made_size)) {
        return;
    }
    node->m.size = model_size_of(size);
    memory_region_set_size(&node->mr, size);
}

/* Memory may have them too, though they never ring there. */
static bool may_have_doorbells(const Node *node)
{
    return node->m.kind == MODEL_IO ||
           (one_in(4) && (node->m.kind == MODEL_RAM ||
                          node->m.kind == MODEL_ROM_DEVICE));
}

static void node_add_doorbell(Node *node)
{
    ModelDoorbell d = {
        .size = (unsigned[]){ 0, 1, 2, 4, 8 }[below(5)],
        .match_data = one_in(2),
    };
    unsigned i;

    if (!may_have_doorbells(node) || node->m.nr_doorbells == MODEL_DOORBELLS_MAX ||
        node->m.size < 8) {
        return;
    }
    d.addr = one_in(2) && node->m.nr_doorbells
                 ? node->m.doorbells[0].addr
                 : below(MIN(node->m.size - 7, 4096));
    if (d.addr + MAX(d.size, 1) > node->m.size) {
        return;
    }
    d.match_data &= d.size != 0;
    d.data = d.match_data ? below(4) : 0;
    for (i = 0; i < node->m.nr_doorbells; i++) {
        ModelDoorbell *have = &node->m.doorbells[i];

        if (have->addr == d.addr && have->size == d.size &&
            have->match_data == d.match_data && have->data == d.data) {
            return;
        }
    }
    node->m.doorbells[node->m.nr_doorbells++] = d;
    memory_region_add_eventfd(&node->mr, d.addr, d.size, d.match_data, d.data,
                              &bell);
}

static void node_del_doorbell(Node *node)
{
    ModelDoorbell d;
    unsigned i;

    if (!node->m.nr_doorbells) {
        return;
    }
    i = below(node->m.nr_doorbells);
    d = node->m.doorbells[i];
    node->m.doorbells[i] = node->m.doorbells[--node->m.nr_doorbells];
    memory_region_del_eventfd(&node->mr, d.addr, d.size, d.match_data, d.data,
                              &bell);
}

static void node_add_zone(Node *node)
{
    ModelZone z;
    unsigned i;

    if (!may_have_doorbells(node) || node->m.size > UINT64_MAX ||
        node->m.nr_zones == MODEL_ZONES_MAX) {
        return;
    }
    if (one_in(4)) {
        node->m.nr_zones = 1;
        node->m.zones[0] = (ModelZone){ 0, UINT64_MAX };
        memory_region_set_coalescing(&node->mr);
        return;
    }
    z.offset = below(node->m.size);
    z.size = 1 + below(node->m.size - z.offset);
    for (i = 0; i < node->m.nr_zones; i++) {
        ModelZone *have = &node->m.zones[i];

        if (one_in(3)) {
            z = *have; /* the same again, and told again */
        }
    }
    node->m.zones[node->m.nr_zones++] = z;
    memory_region_add_coalescing(&node->mr, z.offset, z.size);
}

static void node_set_log(Node *node)
{
    static const unsigned clients[] = { DIRTY_MEMORY_VGA, DIRTY_MEMORY_CODE };
    unsigned client = clients[below(2)];
    bool log = one_in(2);

    if (node->m.kind != MODEL_RAM) {
        return;
    }
    node->m.log_mask &= ~(1u << client);
    node->m.log_mask |= (unsigned)log << client;
    memory_region_set_log(&node->mr, log, client);
}

static void node_set(Node *node)
{
    bool on = one_in(2);

    switch (below(4)) {
    case 0:
        on = !one_in(4);
        node->m.enabled = on;
        memory_region_set_enabled(&node->mr, on);
        break;
    case 1:
        node->m.readonly = on;
        memory_region_set_readonly(&node->mr, on);
        break;
    case 2:
        if (node->m.kind == MODEL_ROM_DEVICE) {
            node->m.romd = on;
            memory_region_rom_device_set_readable(&node->mr, on);
        }
        break;
    default:
        if (node->m.kind == MODEL_ALIAS) {
            node->m.alias_offset = one_in(3)
                                       ? neighbour_offset(node_of(node->m.target))
                                       : some_offset();
            memory_region_set_alias_offset(&node->mr, node->m.alias_offset);
        }
        break;
    }
}

static ModelKind some_kind(void)
{
    unsigned n = below(100);

    return n < 26   ? MODEL_CONTAINER
           : n < 52 ? MODEL_RAM
           : n < 74 ? MODEL_IO
           : n < 94 ? MODEL_ALIAS
           : n < 97 ? MODEL_ROM_DEVICE
                    : MODEL_RESERVATION;
}

/* Hidden, changed and back again, as if nothing had been. */
static void change_hidden(Node *node)
{
    bool enabled = node->m.enabled;

    transaction_depth++;
    memory_region_transaction_begin();
    memory_region_set_enabled(&node->mr, false);
    node_add_doorbell(node);
    node_del_doorbell(node);
    node_add_zone(node);
    node_set_log(node);
    memory_region_set_enabled(&node->mr, enabled);
    memory_region_transaction_commit();
    transaction_depth--;
}

void graph_change(void)
{
    Node *node = some_node();

    if (!node) {
        node_make(some_kind());
        return;
    }
    if (links_nr && one_in(10)) {
        chain_change();
        return;
    }
    switch (below(16)) {
    case 0:
        node_make(some_kind());
        break;
    case 1:
        if (one_in(4)) {
            node_destroy(node);
        }
        break;
    case 2:
        node_add(some_node(), node);
        break;
    case 3:
    case 4:
        while (node->m.parent && !one_in(8)) {
            node = some_node();
        }
        node_add(some_holder(), node);
        break;
    case 5:
        if (one_in(2)) {
            node_del(node);
        } else if (one_in(3)) {
            node_make_windows();
        }
        break;
    case 6:
    case 7:
        if (node->m.parent) {
            node->m.addr = one_in(3) ? neighbour_address(node_of(node->m.parent))
                                     : some_offset();
            memory_region_set_address(&node->mr, node->m.addr);
        }
        break;
    case 8:
        node_resize(node);
        break;
    case 9:
        if (one_in(4)) {
            change_hidden(node);
        } else {
            node_add_doorbell(node);
        }
        break;
    case 10:
        node_del_doorbell(node);
        break;
    case 11:
        node_add_zone(node);
        break;
    case 12:
        if (node->m.nr_zones && one_in(2)) {
            node->m.nr_zones = 0;
            memory_region_clear_coalescing(&node->mr);
        } else {
            node_set_log(node);
        }
        break;
    default:
        node_set(node);
        break;
    }
}

/* ---- whole graphs ------------------------------------------------------------------- */

void graph_init(void)
{
    unsigned i;

    expect(event_notifier_init(&bell, 0) == 0, "no eventfd");
    for (i = 0; i < NODES_MAX; i++) {
        content_fill(ram[i], i, 0, RAM_MAX);
    }
}

void graph_cleanup(void)
{
    event_notifier_cleanup(&bell);
}

void graph_make(void)
{
    unsigned start, tries, i;

    start = one_in(20) ? NODES_MAX - 4 : 5 + below(11);
    for (i = 0; i < start; i++) {
        node_make(i ? some_kind() : MODEL_CONTAINER);
        for (tries = 0; i && !nodes[i].m.parent && tries < 4; tries++) {
            node_add(one_in(2) ? &nodes[0] : some_holder(), &nodes[i]);
        }
    }
    if (one_in(3)) {
        node_make_windows();
    }
    if (one_in(5)) {
        chain_make();
    }
    if (one_in(5)) {
        diamond_make();
    }
    if (one_in(2)) {
        nodes[0].m.size = model_size_of(UINT64_MAX);
        memory_region_set_size(&nodes[0].mr, UINT64_MAX);
    }
}

void graph_destroy_nodes(void)
{
    unsigned left = NODES_MAX;
    unsigned i;

    for (i = 0; i < NODES_MAX; i++) {
        if (nodes[i].live) {
            node_del(&nodes[i]);
        }
    }
    while (left--) {
        for (i = 0; i < NODES_MAX; i++) {
            if (nodes[i].live && !nodes[i].m.nr_aliases) {
                node_destroy(&nodes[i]);
            }
        }
        while (links_nr && !links[links_nr - 1].m.nr_aliases) {
            node_destroy(&links[--links_nr]);
        }
    }
    expect(!links_nr, "link-%u is left", links_nr - 1);
    g_clear_pointer(&links, g_free);
    for (i = 0; i < NODES_MAX; i++) {
        expect(!nodes[i].live, "node-%u is left", i);
    }
}
