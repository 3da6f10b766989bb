/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reference model of the region graph: slow and obvious. It keeps a graph
 * of its own and answers what shows at one address by walking it. It knows
 * nothing of the core; a test makes each change in both and compares.
 */
#ifndef MODEL_H
#define MODEL_H

#include "hwaddr.h"

typedef unsigned __int128 model_size;

#define MODEL_LINKS_MAX 40
#define MODEL_DOORBELLS_MAX 8
#define MODEL_ZONES_MAX 4
#define MODEL_SEGMENTS_MAX 512

typedef enum ModelKind {
    MODEL_CONTAINER,
    MODEL_RAM,
    MODEL_IO,
    MODEL_ROM_DEVICE,
    MODEL_RESERVATION,
    MODEL_ALIAS,
} ModelKind;

typedef struct ModelDoorbell {
    hwaddr addr;
    unsigned size;
    bool match_data;
    uint64_t data;
} ModelDoorbell;

typedef struct ModelZone {
    hwaddr offset;
    uint64_t size;
} ModelZone;

typedef struct ModelRegion ModelRegion;

struct ModelRegion {
    ModelKind kind;
    unsigned id;
    model_size size;
    bool enabled;
    bool readonly;
    bool romd; /* a ROM device that is read directly */
    unsigned log_mask;

    ModelRegion *parent;
    hwaddr addr;
    int priority;
    bool may_overlap;
    ModelRegion *subs[MODEL_LINKS_MAX]; /* topmost first */
    unsigned nr_subs;

    ModelRegion *target; /* of an alias */
    hwaddr alias_offset;
    unsigned nr_aliases; /* that have this one as target */

    ModelDoorbell doorbells[MODEL_DOORBELLS_MAX];
    unsigned nr_doorbells;
    ModelZone zones[MODEL_ZONES_MAX];
    unsigned nr_zones;
};

/* What shows at an address; region NULL: nothing. */
typedef struct ModelAnswer {
    ModelRegion *region;
    hwaddr offset;
    bool readonly;
} ModelAnswer;

/* Addresses @first to @last show one region. */
typedef struct ModelSegment {
    hwaddr first;
    hwaddr last;
    ModelAnswer answer; /* at @first */
} ModelSegment;

typedef struct ModelMap {
    ModelSegment segments[MODEL_SEGMENTS_MAX];
    unsigned nr;
} ModelMap;

/* 2^64 for UINT64_MAX. */
model_size model_size_of(uint64_t size);

/* Set up *@r, enabled, without links. */
void model_init(ModelRegion *r, ModelKind kind, unsigned id, uint64_t size);
void model_init_alias(ModelRegion *r, unsigned id, ModelRegion *target,
                      hwaddr offset, uint64_t size);

void model_add(ModelRegion *parent, hwaddr addr, ModelRegion *sub,
               bool may_overlap, int priority);
void model_del(ModelRegion *sub);

/* Whether @to can be reached from @from by subregions and aliases. */
bool model_reaches(const ModelRegion *from, const ModelRegion *to);

/* Whether @sub at @addr would overlap a plain subregion of @parent. */
bool model_overlaps(const ModelRegion *parent, const ModelRegion *sub,
                    hwaddr addr);

/* What answers @addr bytes into @root. */
ModelAnswer model_resolve(ModelRegion *root, hwaddr addr);

/* Fill in @map with what shows in the whole of @root, in order, merged. False
 * where it has too many pieces. */
bool model_map(ModelRegion *root, ModelMap *map);

#endif
