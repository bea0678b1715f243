/*
 * guard - the order of the checks: clean, refuse what gives something away, take out what nobody
 * allowed, refuse what is nothing without it, cap.
 */
#include "flow/guard.h"

#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/utf8.h"
#include "flow/guard_scan.h"

#define TEXT_MAX   20000 /* code points that are looked at */
#define LEAST_WORD 3     /* words that must remain where something was taken out */

/* Not drawn, or turns the direction of writing: nothing that a message needs. */
static bool
is_hidden(uint32_t code)
{
    return code == 0xAD || code == 0x061C || code == 0x180E || code == 0x115F || code == 0x1160 ||
           code == 0x3164 || code == 0xFFA0 || (code >= 0x200B && code <= 0x200C) ||
           (code >= 0x200E && code <= 0x200F) || (code >= 0x202A && code <= 0x202E) ||
           (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF ||
           (code >= 0xFFF9 && code <= 0xFFFC) || (code >= 0xE0000 && code <= 0xE0FFF);
}

static const char *
clean(struct arena *a, const char *text)
{
    const char *safe = utf8_clean(a, text, strlen(text), TEXT_MAX);
    const char *end = safe + strlen(safe);
    struct buf b = buf_init(a, strlen(safe) + 1);
    uint32_t before = 0;

    for (const char *p = safe; p < end;) {
        const char *from = p;
        uint32_t code = utf8_next(&p, end);

        /* A joiner belongs between the halves of an emoji and nowhere else. */
        if (is_hidden(code) || (code == 0x200D && before < 0x2190))
            continue;
        before = code;
        buf_add(&b, from, (size_t)(p - from));
    }
    return str_trim(a, b.len > 0 ? b.data : "");
}

static size_t
count_words(struct arena *a, const char *text)
{
    const char *words = guard_scan_words(a, text);
    size_t n = *words != '\0';

    for (const char *p = words; *p != '\0'; p++)
        n += *p == ' ';
    return n;
}

/* At most 'max' characters, ending with a sentence or a word. */
static const char *
capped(struct arena *a, const char *text, size_t max)
{
    size_t len = utf8_prefix(text, max - 3);
    size_t edge = len;

    if (utf8_count(text) <= max)
        return text;
    while (edge > len / 2 && text[edge] != ' ' && text[edge] != '\n')
        edge--;
    if (edge <= len / 2)
        edge = len;
    while (edge > 0 && strchr(" \n,;:.-", text[edge - 1]) != NULL)
        edge--;
    return arena_printf(a, "%.*s...", (int)edge, text);
}

struct guard_result
guard_text(struct arena *a, const char *text, const struct guard_rules *r)
{
    const char *cleaned = clean(a, text != NULL ? text : "");
    struct guard_scan s = guard_scan_make(a, cleaned);
    struct guard_result out = { NULL, "empty" };
    size_t links;
    size_t numbers;

    if (count_words(a, cleaned) == 0)
        return out;
    links = guard_link_mark(&s, r);
    out.reason = guard_leak_find(&s, r->instructions);
    if (out.reason != NULL)
        return out;
    numbers = guard_number_mark(&s, r);
    out.text = guard_scan_text(&s);
    if (links + numbers > 0 && count_words(a, out.text) < LEAST_WORD)
        return (struct guard_result){ NULL, "nothing_left" };
    out.reason = links > 0 && numbers > 0 ? "links_and_numbers"
                 : links > 0              ? "links"
                 : numbers > 0            ? "numbers"
                                          : "";
    out.text = capped(a, out.text, GUARD_MAX);
    return out;
}

bool
guard_rules_read(struct flow *f, struct arena *a, const struct allowed_for *whose,
                 struct guard_rules *out, struct err *e)
{
    const struct config *c = f->config;
    struct allowed allowed;

    if (!allowed_of_session(f->db, a, whose, &allowed, e))
        return false;
    *out = (struct guard_rules){
        .instructions = allowed.instructions,
        .public_url = c->public_url,
        .allowed_links = allowed.links,
        .allowed_numbers = allowed.numbers,
        .own_number = allowed.phone,
        .service_numbers = { c->sms_short_code, c->mtn_sms_sender_id },
    };
    return true;
}

/* What a refusal means for whoever worded it. */
static const char *
words_of(const char *reason)
{
    static const struct {
        const char *reason;
        const char *words;
    } rows[] = {
        { "empty", "there is no word in it" },
        { "leak", "it repeats the instructions" },
        { "internal", "it holds names of tools, JSON, ids, keys or marks of a prompt" },
        { "nothing_left", "without the links and numbers it may not name nothing is left" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (str_eq(rows[i].reason, reason))
            return rows[i].words;
    }
    return reason;
}

bool
guard_check(struct flow *f, struct arena *a, const struct allowed_for *whose, const char *field,
            const char *text, struct guard_result *out, struct err *e)
{
    struct guard_rules rules;

    if (!guard_rules_read(f, a, whose, &rules, e))
        return false;
    *out = guard_text(a, text, &rules);
    if (!str_empty(out->reason))
        log_event(f->log, ANSWER_GUARDED,
                  LF_ID("session_id", str_empty(whose->session_id) ? "" : whose->session_id),
                  LF_ID("reason", out->reason),
                  LF_ID("result", out->text == NULL ? "refused" : "cleaned"));
    return out->text != NULL || err_set(e, ERR_FORBIDDEN, "%s: may not be sent (%s): %s", field,
                                        out->reason, words_of(out->reason));
}
