/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads with event loops of their own.
 */
#include "hw/core/iothread.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

typedef struct IOThread {
    UserObject user;
    GMainContext *context;
    GMainLoop *loop;
    GThread *thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t known;
    pid_t thread_id; /* 0: not yet known */
} IOThread;

static void *iothread_run(void *opaque)
{
    IOThread *s = opaque;

    pthread_mutex_lock(&s->lock);
    s->thread_id = gettid();
    pthread_cond_signal(&s->known);
    pthread_mutex_unlock(&s->lock);

    g_main_context_push_thread_default(s->context);
    g_main_loop_run(s->loop);
    g_main_context_pop_thread_default(s->context);
    return NULL;
}

static bool iothread_complete(UserObject *obj, GError **err)
{
    IOThread *s = (IOThread *)obj;
    g_autofree char *name = g_strdup_printf("IO %.12s", obj->id);

    s->context = g_main_context_new();
    s->loop = g_main_loop_new(s->context, TRUE);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->known, NULL);
    s->thread = g_thread_try_new(name, iothread_run, s, err);
    if (!s->thread) {
        pthread_cond_destroy(&s->known);
        pthread_mutex_destroy(&s->lock);
        g_main_loop_unref(s->loop);
        g_main_context_unref(s->context);
        return false;
    }
    pthread_mutex_lock(&s->lock);
    while (!s->thread_id) {
        pthread_cond_wait(&s->known, &s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return true;
}

static gboolean iothread_quit(gpointer opaque)
{
    g_main_loop_quit(opaque);
    return G_SOURCE_REMOVE;
}

/* The loop is told from within: it may not have begun to run yet. */
static void iothread_finish(UserObject *obj)
{
    IOThread *s = (IOThread *)obj;
    GSource *quit = g_idle_source_new();

    g_source_set_callback(quit, iothread_quit, s->loop, NULL);
    g_source_attach(quit, s->context);
    g_source_unref(quit);
    g_thread_join(s->thread);
    g_main_loop_unref(s->loop);
    g_main_context_unref(s->context);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->known);
}

GMainContext *iothread_context(UserObject *iothread)
{
    return ((IOThread *)iothread)->context;
}

static GVariant *iothread_fact(UserObject *obj, const char *name)
{
    return g_variant_new_int64(((IOThread *)obj)->thread_id);
}

static const ObjectProperty facts[] = {
    { "thread-id", "int", "the host's number of the thread", false },
    { 0 },
};

const UserObjectType iothread_type = {
    .name = "iothread",
    .parent = "user-creatable",
    .description = "a thread with an event loop of its own",
    .size = sizeof(IOThread),
    .complete = iothread_complete,
    .finish = iothread_finish,
    .facts = facts,
    .fact = iothread_fact,
};
