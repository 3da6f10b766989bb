/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of the memory core share: a catcher of programming errors, an
 * I/O device and a listener that record what happens to them, and the running
 * of a list of tests.
 */
#ifndef TEST_UTIL_H
#define TEST_UTIL_H

#include <check.h>

#include "memory.h"

/* ---- failing, and running ---------------------------------------------------- */

/* Printed before a failure's message, e.g. the seed. Empty by default. */
extern char test_context[256];

/* End the test with a message. */
#define test_fail(...) test_fail_at(__FILE__, __LINE__, __VA_ARGS__)
void test_fail_at(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), noreturn));

/* Cheap where it holds, unlike ck_assert(): for hot loops. */
#define expect(condition, ...)                                                 \
    do {                                                                       \
        if (!(condition)) {                                                    \
            test_fail(__VA_ARGS__);                                            \
        }                                                                      \
    } while (0)

#define expect_hex(value, wanted)                                              \
    do {                                                                       \
        uint64_t value_ = (value), wanted_ = (wanted);                         \
        expect(value_ == wanted_, "%s is 0x%" PRIx64 ", not %s, 0x%" PRIx64,   \
               #value, value_, #wanted, wanted_);                              \
    } while (0)

/* Run @nr tests as the suite @name; returns main()'s status. */
int test_run(const char *name, const TTest *const *tests, unsigned nr);

#define TEST_MAIN(name, ...)                                                   \
    int main(void)                                                             \
    {                                                                          \
        const TTest *const tests[] = { __VA_ARGS__ };                          \
        return test_run(name, tests, G_N_ELEMENTS(tests));                     \
    }

/* @n, or what the environment variable @variable says. */
uint64_t test_number(const char *variable, uint64_t n);

/* ---- programming errors -------------------------------------------------------- */

/* How many were reported since the last look, while EXPECT_ERROR runs. */
void errors_begin(void);

/* Exactly one error since errors_begin(), and its text holds both names (NULL:
 * no matter). */
void errors_end(const char *statement, const char *name1, const char *name2);

#define EXPECT_ERROR(statement, name1, name2)                                  \
    do {                                                                       \
        errors_begin();                                                        \
        statement;                                                             \
        errors_end(#statement, name1, name2);                                  \
    } while (0)

/* ---- recognisable content --------------------------------------------------------- */

/* The byte that region @id shows @offset bytes into it: never 0 or 0xff. */
static inline uint8_t content_byte(unsigned id, hwaddr offset)
{
    uint64_t x = (offset + 1) * 0x9e3779b97f4a7c15u ^ id * 0xc2b2ae3d27d4eb4fu;

    x ^= x >> 29;
    return 1 + (x * 0xbf58476d1ce4e5b9u >> 40) % 254;
}

/* @size of them as a little-endian number. */
uint64_t content_value(unsigned id, hwaddr offset, unsigned size);

void content_fill(void *memory, unsigned id, hwaddr offset, size_t len);

/* ---- a device that records -------------------------------------------------------- */

#define IO_CALLS_MAX 64

typedef struct IoCall {
    bool is_write;
    hwaddr addr;
    uint64_t data;
    unsigned size;
    MemTxAttrs attrs;
} IoCall;

typedef struct IoDevice IoDevice;

struct IoDevice {
    unsigned id;        /* reads show its content_value() */
    bool dead;          /* a call now is a failure */
    unsigned nr_calls;  /* the first IO_CALLS_MAX are kept */
    IoCall calls[IO_CALLS_MAX];
    MemTxResult result; /* what calls return */
    void (*hook)(IoDevice *dev, const IoCall *call); /* if set: in each call */
    void *hook_opaque;
    MemoryRegion mr;
};

/* Callbacks that record; the opaque is an IoDevice. */
MemTxResult io_device_read(void *opaque, hwaddr addr, uint64_t *data,
                           unsigned size, MemTxAttrs attrs);
MemTxResult io_device_write(void *opaque, hwaddr addr, uint64_t data,
                            unsigned size, MemTxAttrs attrs);

/* 1 to 8 bytes, unaligned too, little-endian, with attributes. */
extern const MemoryRegionOps io_device_ops;

/* The same through the callbacks without attributes. */
extern const MemoryRegionOps io_plain_ops;

/* @dev all set up, its region made with io_device_ops. */
void io_device_init(IoDevice *dev, unsigned id, const char *name, uint64_t size);

/* The calls since the last look: "r ADDR/SIZE", "w ADDR/SIZE=DATA", in hex. */
void io_expect(IoDevice *dev, ...) __attribute__((sentinel));

/* ---- a listener that records, and checks what always holds ------------------------- */

typedef struct RecordedSection {
    MemoryRegionSection s;
    bool logging;
} RecordedSection;

typedef struct RecordedDoorbell {
    AddressSpace *as;
    MemoryRegion *mr;
    hwaddr addr;
    uint64_t size;
    bool match_data;
    uint64_t data;
    EventNotifier *e;
} RecordedDoorbell;

typedef struct RecordedZone {
    AddressSpace *as;
    MemoryRegion *mr;
    hwaddr addr;
    hwaddr len;
} RecordedZone;

/* Its callbacks fail the test where a section is added over another, deleted
 * without having been added, deleted after an addition, announced without the
 * lock or outside begin and commit; where neighbours were left unmerged. */
typedef struct Recorder {
    MemoryListener listener;
    AddressSpace *filter;
    const char *tag;   /* before each line of the log */
    GPtrArray *log;    /* lines; NULL: no log */
    GArray *sections;  /* RecordedSection */
    GArray *doorbells; /* RecordedDoorbell */
    GArray *zones;     /* RecordedZone */
    bool inside;       /* between begin and commit */
    bool adding;       /* an addition was seen since begin */
    unsigned commits;
    unsigned flushes;
    unsigned global_log;
} Recorder;

/* Register a recorder for @filter. Without @with_log only the state is kept. */
Recorder *recorder_new(AddressSpace *filter, unsigned priority, bool with_log);

/* The same, logging into the log of @other with @tag before each line. */
Recorder *recorder_new_beside(Recorder *other, AddressSpace *filter,
                              unsigned priority, const char *tag);

/* Unregister, check that everything was withdrawn, and free. */
void recorder_free(Recorder *r);

/* Log what commits leave alone, too; not at first. */
void recorder_hear_nop(Recorder *r);

/* The log since the last look is exactly these lines:
 *   begin, commit, log_global_start, log_global_stop,
 *   add|del|nop|log_start|log_stop|log_sync|log_clear NAME FIRST-LAST @OFFSET[ ro]
 *   eventfd_add|eventfd_del NAME ADDR/SIZE[=DATA]
 *   coalesced_add|coalesced_del NAME FIRST-LAST
 * numbers in hex. */
void recorder_expect_log(Recorder *r, ...) __attribute__((sentinel));
void recorder_clear_log(Recorder *r);

/* The present sections, by address: NAME FIRST-LAST @OFFSET[ ro][ log]. */
void recorder_expect_map(Recorder *r, ...) __attribute__((sentinel));

/* The present doorbells and zones, by address, as in the log. */
void recorder_expect_doorbells(Recorder *r, ...) __attribute__((sentinel));
void recorder_expect_zones(Recorder *r, ...) __attribute__((sentinel));

/* The last byte of @section, which its size must agree with. */
hwaddr section_last(const MemoryRegionSection *section);

/* ---- a small world ------------------------------------------------------------------- */

/* A container named "root" of the whole space, shown, and followed with a log. */
typedef struct World {
    MemoryRegion root;
    AddressSpace as;
    Recorder *r;
} World;

void world_init(World *w);

/* Nothing may be in the root any more. */
void world_destroy(World *w);

/* ---- shorthands ---------------------------------------------------------------------- */

/* Loads and stores; the result must be @result. */
uint64_t load(AddressSpace *as, hwaddr addr, unsigned size, MemTxResult result);
void store(AddressSpace *as, hwaddr addr, unsigned size, uint64_t value,
           MemTxResult result);

/* What answers @addr is @offset bytes into @mr; @mr NULL: nothing answers. */
void expect_found(MemoryRegion *root, hwaddr addr, MemoryRegion *mr,
                  hwaddr offset);

#endif
