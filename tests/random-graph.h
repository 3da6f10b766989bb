/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random graphs: regions made, linked and changed by chance, in the core and in
 * the reference model at once. For tests/test-random.c.
 */
#ifndef RANDOM_GRAPH_H
#define RANDOM_GRAPH_H

#include "model.h"
#include "test-util.h"

#define NODES_MAX 24
#define SPACES_MAX 3
#define RAM_MAX 0x10000
#define ROMD_MAX 0x2000
#define ROMD_ID 1000 /* what a ROM device's callbacks show: id + this */

typedef struct Node {
    ModelRegion m; /* first: a ModelRegion is a Node */
    MemoryRegion mr;
    char name[16];
    uint64_t made_size;
    bool live;
} Node;

typedef struct Space {
    AddressSpace as;
    Node *root;
    Recorder *recorder; /* NULL: not followed at present */
    ModelMap map;       /* as of the last commit */
    bool live;
} Space;

extern Node nodes[NODES_MAX];
extern Space spaces[SPACES_MAX];
extern EventNotifier bell; /* of every doorbell */
extern unsigned transaction_depth;

/* The last call of any region's callbacks, and how many there were. */
typedef struct LastCall {
    unsigned nr;
    Node *node;
    hwaddr addr;
    uint64_t data;
    unsigned size;
    bool is_write;
} LastCall;

extern LastCall last_call;

/* Chance: the same numbers again from the same seed. */
void chance_seed(uint64_t seed);
uint64_t below(uint64_t n);
bool one_in(unsigned n);
uint64_t any_number(void);

/* How big things are in a sequence. */
typedef enum Scale {
    SCALE_BYTES,
    SCALE_SUBPAGE,
    SCALE_PAGES,
    SCALE_RAGGED,
    SCALE_TOP,
    SCALE_ANY,
    SCALES
} Scale;

extern Scale scale;

hwaddr some_offset(void);

/* Once: the RAM of all nodes, and the doorbell. */
void graph_init(void);
void graph_cleanup(void);

/* A first graph, with spaces[0] showing nodes[0]. */
void graph_make(void);

/* One change, or a programming error that must not change anything. */
void graph_change(void);

/* An address space made, destroyed, followed or not. */
void graph_change_space(void);

/* Everything destroyed; all spaces first. */
void graph_destroy_spaces(void);
void graph_destroy_nodes(void);

Node *node_of(const ModelRegion *m);
uint8_t *ram_of(Node *node);

#endif
