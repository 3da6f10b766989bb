/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 100,000 messages made of valid ones by small and large mutations: each time the
 * monitor then answers a valid one, and the process does not grow.
 *
 * FLATVIEW_SEED=n sends message n alone, FLATVIEW_SEQUENCES=n that many.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "monitor/qapi.h"
#include "tests/qmp/qmp-client.h"
#include "tests/qmp/qmp-world.h"

#define MESSAGES 100000
#define CHUNKS 20
#define GROWTH_MAX (8 << 20) /* bytes */

static uint64_t state;

static uint32_t below(uint32_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % n;
}

static const char *const tokens[] = {
    "{", "}", "[", "]", ":", ",", "\"", "'", "\\", "\\u0000", "\\ud800", "\xff",
    "\xc3", "null", "true", "-1", "1e400", "1.5", "9223372036854775808",
    "18446744073709551616", "99999999999999999999999", "{}", "[]", "\"\"",
    "\"execute\"", "\"exec-oob\"", "\"id\"", "\n", "\x01", "%s", "../", "-", ".",
    "\"arguments\":{}", ",'id':1", "[[[[[[[[[[[[[[[[", "{\"a\":{\"a\":{\"a\":",
};

static const char *any_message(void)
{
    unsigned nr = 0;

    while (qmp_corpus[nr]) {
        nr++;
    }
    return qmp_corpus[below(nr)];
}

static void mutate(GString *text)
{
    size_t at = below(text->len + 1), len = below(MIN(text->len - at, 20) + 1);
    const char *other;
    char *piece;

    switch (below(9)) {
    case 0:
        if (at < text->len) {
            text->str[at] ^= 1 << below(8);
        }
        break;
    case 1:
        g_string_erase(text, at, len);
        break;
    case 2:
        g_string_insert_c(text, at, below(256));
        break;
    case 3:
    case 4:
        other = tokens[below(G_N_ELEMENTS(tokens))];
        g_string_insert(text, at, other);
        break;
    case 5: /* in place of something */
        g_string_erase(text, at, len);
        g_string_insert(text, at, tokens[below(G_N_ELEMENTS(tokens))]);
        break;
    case 6: /* twice */
        piece = g_strndup(text->str + at, len);
        g_string_insert(text, below(text->len + 1), piece);
        g_free(piece);
        break;
    case 7: /* half of one and half of another */
        other = any_message();
        g_string_truncate(text, at);
        g_string_append(text, other + below(strlen(other)));
        break;
    default:
        g_string_append(text, any_message());
    }
}

static long resident(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    expect(f && fscanf(f, "%*d %ld", &pages) == 1, "statm: %m");
    fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

/* A sanitizer keeps up to 256 MiB of what was freed, and more for each thread. */
static long growth_max(void)
{
    const char *sanitizers = g_getenv("SANITIZERS");

    return sanitizers && *sanitizers ? 512 << 20 : GROWTH_MAX;
}

/* The end of what a message makes: the reply to one that is valid. */
static void expect_alive(QMPClient *client, uint64_t seed)
{
    JsonObject *message;
    JsonNode *id;

    qmp_client_say(client, "\xff{'execute':'query-name','id':'alive %" PRIu64 "'}",
                   seed);
    do {
        message = qmp_client_receive(client);
        expect(message, "the monitor has closed the connection");
        id = json_object_get_member(message, "id");
    } while (!id || !JSON_NODE_HOLDS_VALUE(id) ||
             json_node_get_value_type(id) != G_TYPE_STRING ||
             strncmp(json_node_get_string(id), "alive", 5) != 0 ||
             strtoull(json_node_get_string(id) + 5, NULL, 10) != seed);
    expect(json_object_has_member(message, "return"), "query-name fails");
}

static void send_messages(uint64_t first, uint64_t last)
{
    Machine *machine = qmp_world_new();
    QMPClient *client = qmp_client_new_inside(false);
    GString *text = g_string_new(NULL);
    long before;

    qmp_client_negotiate(client, true);
    before = resident();
    for (uint64_t seed = first; seed <= last; seed++) {
        snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%" PRIu64 ": ",
                 seed);
        state = seed * 0x9e3779b97f4a7c15u;
        below(1);
        g_string_assign(text, any_message());
        for (unsigned i = below(4); i-- > 0;) {
            mutate(text);
        }
        qmp_client_send(client, text->str, text->len);
        expect_alive(client, seed);
    }
    expect(resident() - before < growth_max(), "grown by %ld bytes",
           resident() - before);
    g_string_free(text, TRUE);
    qmp_client_free(client);
    qmp_world_free(machine);
}

START_TEST(mutations)
{
    uint64_t seed = test_number("FLATVIEW_SEED", 0);
    uint64_t all = test_number("FLATVIEW_SEQUENCES", MESSAGES);

    if (seed) {
        send_messages(seed, seed);
    } else {
        send_messages(1 + all * _i / CHUNKS, all * (_i + 1) / CHUNKS);
    }
}
END_TEST

/* The messages as they are; one that mentions each command. */
START_TEST(corpus_is_complete)
{
    Machine *machine = qmp_world_new();
    QMPClient *client = qmp_client_new_inside(false);

    qmp_client_negotiate(client, false);
    for (unsigned i = 0; qmp_corpus[i]; i++) {
        qmp_client_say(client, "%s", qmp_corpus[i]);
        expect_alive(client, i);
    }
    qmp_client_free(client);
    qmp_world_free(machine);
    for (unsigned i = 0; qmp_command_groups[i]; i++) {
        for (const QMPCommand *c = qmp_command_groups[i]; c->name; c++) {
            bool found = false;

            for (unsigned j = 0; qmp_corpus[j]; j++) {
                found = found || strstr(qmp_corpus[j], c->name);
            }
            expect(found, "no message runs %s", c->name);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("qmp-mutations");
    TCase *tcase = tcase_create("messages");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tcase, 0);
    tcase_add_test(tcase, corpus_is_complete);
    tcase_add_loop_test(tcase, mutations, 0, getenv("FLATVIEW_SEED") ? 1 : CHUNKS);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
