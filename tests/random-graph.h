/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random graphs: regions made, linked and changed by chance, in the core and in
 * the reference model at once. For tests/test-random.c.
 */
#ifndef RANDOM_GRAPH_H
#define RANDOM_GRAPH_H

#include "model.h"
#include "test-util.h"

#define NODES_MAX 32
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

extern Node nodes[NODES_MAX];
extern Node *links; /* aliases, each of the one before, or none */
extern unsigned links_nr;
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

/* To be set. Called after each commit of a change that takes several. Whether
 * some address space has the node as its root; showed it after the last commit. */
extern void (*graph_committed)(void);
extern bool (*node_is_root)(const Node *node);
extern bool (*node_is_shown)(const Node *node);

/* Once: the RAM of all nodes, and the doorbell. */
void graph_init(void);
void graph_cleanup(void);

/* A first graph, most of it below nodes[0]. */
void graph_make(void);

/* One change, or a programming error that must not change anything. */
void graph_change(void);

/* A bus master's root: it shows a whole alias of @target, or nearly so, which
 * may be switched off. NULL: there are too many nodes. */
Node *master_make(Node *target);

/* The same for one that exists: on, off, not quite whole any more, whole. */
void master_change(Node *root);

/* Everything destroyed, after all spaces. */
void graph_destroy_nodes(void);

/* Any that lives, preferring one that has something in it; NULL: none. */
Node *some_holder(void);
Node *node_of(const ModelRegion *m);
uint8_t *ram_of(Node *node);

#endif
