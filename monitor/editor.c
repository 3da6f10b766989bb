/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The callback interface of GNU Readline (its manual, section 2.4.12 "Alternate
 * Interface"), over bytes instead of a terminal.
 */
#include "monitor/editor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <readline/readline.h>

#define HISTORY_MAX 500
#define COLUMNS_MIN 20
#define COLUMNS_MAX 1000

#define NO_KEY EOF /* Readline gives up what it wanted more for */

struct Editor {
    const EditorOps *ops;
    void *opaque;
    const char *prompt;
    size_t line_max;
    bool is_editing;  /* a line: it has a handler */
    int key;          /* that Readline may take now; one at a time, so that the
                       * line's length is known at each */
    char *line;       /* complete */
    bool is_complete;
    GPtrArray *history; /* lines, char *, oldest first */
    guint shown;      /* which of them the line is; one more than the last: what
                       * was typed, */
    char *typed;      /* which is kept here meanwhile; NULL: it is not away */
};

static Editor *the_editor;

/* Readline keeps them from its set-up to the end of the program. */
static FILE *readline_in, *readline_out;

/* ---- what Readline calls -------------------------------------------------------- */

static int next_key(FILE *in)
{
    Editor *e = the_editor;

    int key = e->key;

    e->key = NO_KEY;
    return key;
}

static int key_is_available(void)
{
    return the_editor->key != NO_KEY;
}

static ssize_t write_out(void *cookie, const char *text, size_t len)
{
    Editor *e = the_editor;

    e->ops->write(e->opaque, text, len);
    return (ssize_t)len;
}

static void line_is_complete(char *line)
{
    Editor *e = the_editor;

    rl_callback_handler_remove();
    e->is_editing = false;
    e->is_complete = true;
    e->line = line; /* NULL: Ctrl-D in an empty one */
}

static void leave_terminal_alone(int meta)
{
}

static void leave_terminal_alone_again(void)
{
}

/* Ctrl-C: this line is not wanted. */
static int drop_line(int count, int key)
{
    rl_replace_line("", 1);
    fputs("^C", rl_outstream);
    rl_crlf();
    rl_on_new_line();
    rl_redisplay();
    return 0;
}

/* Put back what was deleted, as much of it as the line has room for. */
static int yank(int count, int key)
{
    int result = rl_yank(count, key);
    int line_max = (int)the_editor->line_max;

    if (rl_end > line_max) {
        rl_delete_text(line_max, rl_end);
        rl_point = MIN(rl_point, rl_end);
    }
    return result;
}

/* ---- history: our own, as Readline's and its way of undoing free things twice ------ */

static void show_line(Editor *e, guint index)
{
    if (e->shown == e->history->len) {
        g_free(e->typed);
        e->typed = g_strdup(rl_line_buffer);
    }
    e->shown = index;
    rl_replace_line(index < e->history->len ? e->history->pdata[index] : e->typed,
                    1);
    rl_point = rl_end;
}

static int line_before(int count, int key)
{
    Editor *e = the_editor;

    if (e->shown > 0) {
        show_line(e, e->shown - 1);
    }
    return 0;
}

static int line_after(int count, int key)
{
    Editor *e = the_editor;

    if (e->shown < e->history->len) {
        show_line(e, e->shown + 1);
    }
    return 0;
}

/* The nearest older line that has in it what was typed. */
static int search_back(int count, int key)
{
    Editor *e = the_editor;
    const char *typed = e->shown == e->history->len ? rl_line_buffer : e->typed;

    for (guint i = e->shown; i > 0; i--) {
        if (strstr(e->history->pdata[i - 1], typed)) {
            show_line(e, i - 1);
            break;
        }
    }
    return 0;
}

static void remember(Editor *e, const char *line)
{
    GPtrArray *h = e->history;

    if (*line && (!h->len || strcmp(h->pdata[h->len - 1], line) != 0)) {
        if (h->len == HISTORY_MAX) {
            g_ptr_array_remove_index(h, 0);
        }
        g_ptr_array_add(h, g_strdup(line));
    }
    e->shown = h->len;
    g_clear_pointer(&e->typed, g_free);
}

/* ---- completion -------------------------------------------------------------------- */

/* All that was found, after what they have in common: Readline's form. */
static char **matches_of(const GPtrArray *words)
{
    char **matches = calloc(words->len + 2, sizeof(*matches));
    const char *first = words->pdata[0];
    size_t common = strlen(first);

    if (!matches) {
        return NULL;
    }
    for (guint i = 0; i < words->len; i++) {
        const char *word = words->pdata[i];
        size_t same = 0;

        while (same < common && word[same] == first[same]) {
            same++;
        }
        common = same;
        matches[i + 1] = strdup(word);
    }
    matches[0] = strndup(first, common);
    if (words->len == 1) {
        free(matches[1]);
        matches[1] = NULL;
    }
    return matches;
}

static char **complete_word(const char *text, int start, int end)
{
    Editor *e = the_editor;
    g_autoptr(GPtrArray) words = NULL;
    size_t from, len;

    rl_attempted_completion_over = 1; /* no names of files instead */
    words = e->ops->complete(e->opaque, rl_line_buffer, (size_t)end, &from);
    if (!words->len || from != (size_t)start) {
        return NULL;
    }
    /* What goes on behind it wants no space. */
    len = strlen(words->pdata[0]);
    rl_completion_append_character =
        len && strchr("/=", ((char *)words->pdata[0])[len - 1]) ? 0 : ' ';
    return matches_of(words);
}

/* ---- set-up ----------------------------------------------------------------------- */

/* What keys do; the others insert themselves or nothing. These are what one
 * expects of a prompt; the rest of Readline (macros, counts, undoing, searches)
 * has errors by which keys end the program, and the machine is
 * worth more. */
typedef struct Binding {
    const char *keys;
    rl_command_func_t *function;
} Binding;

static const Binding bindings[] = {
    { "\\C-a", rl_beg_of_line },
    { "\\C-b", rl_backward_char },
    { "\\C-c", drop_line },
    { "\\C-d", rl_delete },
    { "\\C-e", rl_end_of_line },
    { "\\C-f", rl_forward_char },
    { "\\C-h", rl_rubout },
    { "\\C-i", rl_complete },
    { "\\C-j", rl_newline },
    { "\\C-k", rl_kill_line },
    { "\\C-l", rl_refresh_line },
    { "\\C-m", rl_newline },
    { "\\C-n", line_after },
    { "\\C-p", line_before },
    { "\\C-r", search_back },
    { "\\C-t", rl_transpose_chars },
    { "\\C-u", rl_unix_line_discard },
    { "\\C-w", rl_unix_word_rubout },
    { "\\C-y", yank },
    { "\\C-?", rl_rubout },
    { "\\eb", rl_backward_word },
    { "\\ef", rl_forward_word },
    { "\\ed", rl_kill_word },
    { "\\e[A", line_before },
    { "\\e[B", line_after },
    { "\\e[C", rl_forward_char },
    { "\\e[D", rl_backward_char },
    { "\\e[F", rl_end_of_line },
    { "\\e[H", rl_beg_of_line },
    { "\\e[1~", rl_beg_of_line },
    { "\\e[3~", rl_delete },
    { "\\e[4~", rl_end_of_line },
    { "\\e[1;5C", rl_forward_word },
    { "\\e[1;5D", rl_backward_word },
    { "\\eOA", line_before },
    { "\\eOB", line_after },
    { "\\eOC", rl_forward_char },
    { "\\eOD", rl_backward_char },
    { "\\eOF", rl_end_of_line },
    { "\\eOH", rl_beg_of_line },
};

static Keymap keymap;

static void keymap_make(void)
{
    keymap = rl_make_keymap();
    for (unsigned i = 0; i < G_N_ELEMENTS(bindings); i++) {
        rl_bind_keyseq_in_map(bindings[i].keys, bindings[i].function, keymap);
    }
}

/* Whatever a user's file says of these: the main loop waits for no answer, and
 * for no time to pass, and writes nothing of its own to the terminal. */
static void variables_set(void)
{
    static const char *const variables[][2] = {
        { "blink-matching-paren", "off" },
        { "convert-meta", "off" },
        { "editing-mode", "emacs" },
        { "enable-bracketed-paste", "off" },
        { "enable-keypad", "off" },
        { "enable-meta-key", "off" },
        { "input-meta", "on" },
        { "output-meta", "on" },
        { "page-completions", "off" },
        { "revert-all-at-newline", "off" },
        { "show-mode-in-prompt", "off" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(variables); i++) {
        rl_variable_bind(variables[i][0], variables[i][1]);
    }
    rl_completion_query_items = 0;
}

/* False: the host refuses a descriptor. */
static bool set_up(void)
{
    static const cookie_io_functions_t functions = { .write = write_out };

    /* It wants a descriptor to ask about. */
    readline_in = fopen("/dev/null", "re");
    if (!readline_in) {
        return false;
    }
    readline_out = fopencookie(NULL, "w", functions);
    if (!readline_out) {
        fclose(readline_in);
        readline_in = NULL;
        return false;
    }
    setvbuf(readline_out, NULL, _IOFBF, BUFSIZ);
    rl_readline_name = "flatview";
    rl_instream = readline_in;
    rl_outstream = readline_out;
    rl_getc_function = next_key;
    rl_input_available_hook = key_is_available;
    rl_prep_term_function = leave_terminal_alone;
    rl_deprep_term_function = leave_terminal_alone_again;
    rl_catch_signals = 0;
    rl_catch_sigwinch = 0;
    rl_change_environment = 0;
    rl_attempted_completion_function = complete_word;
    rl_basic_word_break_characters = " \t";
    rl_completer_quote_characters = "";
    rl_ignore_completion_duplicates = 0;
    rl_initialize();
    rl_tty_set_echoing(1); /* it would ask the terminal */
    variables_set();
    keymap_make();
    return true;
}

/* Readline divides by zero, which ends the program, on a terminal that is much
 * narrower than the prompt. Where the size is not known it would ask the
 * environment. */
static void fit_to_terminal(void)
{
    struct winsize size;

    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_row ||
        !size.ws_col) {
        size.ws_row = 24;
        size.ws_col = 80;
    }
    rl_set_screen_size(size.ws_row, CLAMP(size.ws_col, COLUMNS_MIN, COLUMNS_MAX));
}

/* The prompt is on the screen already. */
static bool begin_line(Editor *e)
{
    if (!readline_out && !set_up()) {
        return false;
    }
    fit_to_terminal();
    rl_already_prompted = 1;
    rl_callback_handler_install(e->prompt, line_is_complete);
    rl_set_keymap(keymap);
    e->is_editing = true;
    return true;
}

Editor *editor_new(const EditorOps *ops, void *opaque, const char *prompt,
                   size_t line_max)
{
    Editor *e;

    if (the_editor) {
        return NULL;
    }
    e = the_editor = g_new0(Editor, 1);
    e->ops = ops;
    e->opaque = opaque;
    e->prompt = prompt;
    e->line_max = line_max;
    e->key = NO_KEY;
    e->history = g_ptr_array_new_with_free_func(g_free);
    return e;
}

void editor_free(Editor *e)
{
    if (!e) {
        return;
    }
    if (e->is_editing) {
        rl_replace_line("", 1);
        rl_callback_handler_remove();
        fflush(readline_out);
    }
    g_ptr_array_unref(e->history);
    g_free(e->typed);
    the_editor = NULL;
    g_free(e);
}

/* ---- lines ------------------------------------------------------------------------ */

void editor_prompt(Editor *e)
{
    if (e->is_editing) {
        rl_on_new_line();
        rl_redisplay();
        fflush(readline_out);
    } else {
        e->ops->write(e->opaque, e->prompt, strlen(e->prompt));
    }
}

/* Whether @key would make a line longer that is long enough. */
static bool is_too_much(const Editor *e, uint8_t key)
{
    return (size_t)rl_end >= e->line_max && key >= ' ' && key != 0x7f;
}

size_t editor_feed(Editor *e, const uint8_t *keys, size_t len, char **line)
{
    size_t taken = 0;

    *line = NULL;
    if (!e->is_editing && !begin_line(e)) {
        return len; /* these keys are lost, the next ones may not be */
    }
    e->is_complete = false;
    while (taken < len && !e->is_complete) {
        uint8_t key = keys[taken++];

        if (!is_too_much(e, key)) {
            e->key = key;
            rl_callback_read_char();
            e->key = NO_KEY;
        }
    }
    if (e->is_complete) {
        if (!e->line) {
            rl_crlf();
        }
        remember(e, e->line ? e->line : "");
        *line = g_strdup(e->line ? e->line : "");
        free(e->line);
        e->line = NULL;
    }
    fflush(readline_out);
    return taken;
}
