/*
 * compose_summary - what a caller reads after a call: rich on WhatsApp, within two segments by SMS,
 * one paragraph for the template; and the word to whom nobody answered.
 */
#include "base/buf.h"
#include "base/str.h"
#include "base/utf8.h"
#include "core/phrase.h"
#include "core/points.h"
#include "core/sms_text.h"
#include "flow/compose.h"
#include "flow/reply_way.h"

#define LIST_MAX       (64 * 1024)
#define TEXT_MAX       (4 * LIST_MAX) /* a body and a list of steps always fit */
#define PARAGRAPH_MAX  900            /* so that the filled template stays under 1024 */
#define BODY_MAX_CHARS 4000           /* the way to answer comes behind it */
#define SMS_MAX_CHARS  160            /* letters in one SMS, at most */
#define DURATION_MAX_S (24 * 3600)    /* of a call; what is longer was somebody's clock */

/* What there is to say of a call: points, or else prose, or else neither. */
struct words {
    struct points points;
    const char *prose; /* "" if there is none */
    struct points steps;
    const char *facts; /* what the record alone tells: " (27/11 14:05, 2 min)", or "" */
};

/* When it began and how long it took, minutes rounded up. Of a clock that is wrong about one
 * nothing is believed. */
static const char *
facts_of(struct arena *a, const struct call_record *call)
{
    int64_t minutes = (call->duration_s + 59) / 60;

    if (str_empty(call->began) || call->duration_s > DURATION_MAX_S)
        return "";
    if (minutes <= 0)
        return arena_printf(a, " (%s)", call->began);
    return arena_printf(a, " (%s, %lld min)", call->began, (long long)minutes);
}

static struct words
words_of(struct arena *a, const struct call_record *call)
{
    struct words w = { .points = points_of_json(a, call->bullets),
                       .prose = "",
                       .facts = facts_of(a, call) };

    w.steps = points_of_json(a, call->next_actions);
    if (w.points.n == 0 && !str_empty(points_flat(a, call->summary)))
        w.prose = str_trim(a, call->summary);
    return w;
}

static const char *
list_text(struct arena *a, const struct points *p)
{
    struct buf b = buf_init(a, LIST_MAX);

    for (size_t i = 0; i < p->n && !buf_overflowed(&b); i++)
        buf_printf(&b, "%s- %s", i > 0 ? "\n" : "", p->lines[i]);
    return b.data;
}

/* The points, or the prose, or the sentence that stands in for both, with the call's facts before
 * its full stop. */
static const char *
body_of(struct arena *a, const struct words *w, enum language l)
{
    const char *recorded = phrase_get(PHRASE_CALL_RECORDED, l);

    if (w->points.n > 0)
        return list_text(a, &w->points);
    if (!str_empty(w->prose))
        return arena_strndup(a, w->prose, utf8_prefix(w->prose, BODY_MAX_CHARS));
    return arena_printf(a, "%.*s%s.", (int)strlen(recorded) - 1, recorded, w->facts);
}

static const char *
rich_summary(struct arena *a, const struct words *w, enum language l)
{
    struct buf b = buf_init(a, TEXT_MAX);

    buf_printf(&b, "*%s*\n\n%s", phrase_get(PHRASE_SUMMARY_TITLE, l), body_of(a, w, l));
    if (w->steps.n > 0)
        buf_printf(&b, "\n\n*%s*\n%s", phrase_get(PHRASE_NEXT_STEPS, l), list_text(a, &w->steps));
    buf_cut(&b, utf8_prefix(b.data, BODY_MAX_CHARS));
    buf_printf(&b, "\n\n%s", phrase_get(PHRASE_REPLY_HINT, l));
    return b.data;
}

/* The longest prefix of n bytes at most that ends where a word does, unless that takes too much. */
static size_t
word_edge(const char *text, size_t n)
{
    size_t edge = n;

    for (size_t i = n; i > n / 2; i--) {
        if (text[i] == ' ' || text[i] == '\n') {
            edge = i;
            break;
        }
    }
    while (edge > 0 && (text[edge - 1] == ' ' || text[edge - 1] == '\n'))
        edge--;
    return edge;
}

/* body + tail within the segments: the body gives way, at a word's edge, never the tail. */
static const char *
fit_with_tail(struct arena *a, const char *body, const char *tail, int segments)
{
    const char *whole = arena_printf(a, "%s%s", body, tail);
    size_t low = 0;
    size_t high = (size_t)segments * SMS_MAX_CHARS;

    if (sms_text_size(whole).segments <= segments)
        return whole;
    while (low < high) { /* the most letters that fit */
        size_t mid = (low + high + 1) / 2;
        const char *cut = arena_printf(a, "%.*s...%s", (int)utf8_prefix(body, mid), body, tail);

        if (sms_text_size(cut).segments <= segments)
            low = mid;
        else
            high = mid - 1;
    }
    return arena_printf(a, "%.*s...%s", (int)word_edge(body, utf8_prefix(body, low)), body, tail);
}

/* The text for SMS, with the way to answer on a line of its own, unless it is in the text. */
static const char *
plain_text(struct arena *a, const struct config *c, const char *text, enum language l)
{
    const char *hint = sms_text_plain(a, reply_way_hint(a, c, l));
    const char *body = sms_text_plain(a, text);
    const char *alone = fit_with_tail(a, body, "", COMPOSE_SMS_SEGMENTS);

    if (str_empty(hint) || reply_way_is_named(a, c, alone, l))
        return alone;
    return fit_with_tail(a, body, arena_printf(a, "\n%s", hint), COMPOSE_SMS_SEGMENTS);
}

static const char *
plain_summary(struct arena *a, const struct config *c, const struct words *w, enum language l)
{
    struct buf b = buf_init(a, TEXT_MAX);

    buf_printf(&b, "EasyMO:%s%s", w->points.n > 0 ? "\n" : " ", body_of(a, w, l));
    if (w->steps.n > 0)
        buf_printf(&b, "\n%s:\n%s", phrase_get(PHRASE_NEXT_STEPS, l), list_text(a, &w->steps));
    return plain_text(a, c, b.data, l);
}

/* "one; two; three." */
static void
add_sentence(struct buf *b, const struct points *p)
{
    for (size_t i = 0; i < p->n && !buf_overflowed(b); i++) {
        size_t n = strlen(p->lines[i]);
        bool is_last = i + 1 == p->n;

        while (n > 1 && (p->lines[i][n - 1] == ';' || (p->lines[i][n - 1] == '.' && !is_last)))
            n--;
        buf_printf(b, "%s%.*s", i > 0 ? "; " : "", (int)n, p->lines[i]);
        if (is_last && strchr(".!?", p->lines[i][n - 1]) == NULL)
            buf_addc(b, '.');
    }
}

/* One paragraph of at most PARAGRAPH_MAX characters, never empty, with no white space but single
 * blanks: WhatsApp refuses a template's parameter that is anything else. */
static const char *
paragraph_summary(struct arena *a, const struct words *w, enum language l)
{
    struct buf b = buf_init(a, TEXT_MAX);
    const char *text;

    if (w->points.n > 0)
        add_sentence(&b, &w->points);
    else
        buf_adds(&b, body_of(a, w, l));
    if (w->steps.n > 0) {
        buf_printf(&b, " %s: ", phrase_get(PHRASE_NEXT_STEPS, l));
        add_sentence(&b, &w->steps);
    }
    text = points_flat(a, b.data);
    if (utf8_count(text) <= PARAGRAPH_MAX)
        return text;
    return arena_printf(a, "%.*s...", (int)word_edge(text, utf8_prefix(text, PARAGRAPH_MAX - 3)),
                        text);
}

struct compose_text
compose_summary(struct arena *a, const struct config *c, const struct call_record *call,
                enum language l)
{
    struct words w = words_of(a, call);

    return (struct compose_text){ .rich = rich_summary(a, &w, l),
                                  .plain = plain_summary(a, c, &w, l),
                                  .paragraph = paragraph_summary(a, &w, l) };
}

struct compose_text
compose_missed(struct arena *a, const struct config *c, enum language l)
{
    const char *words = phrase_get(PHRASE_MISSED_CALL, l);

    return (struct compose_text){
        .rich = arena_printf(a, "%s %s", words, phrase_get(PHRASE_REPLY_HINT, l)),
        .plain = plain_text(a, c, arena_printf(a, "EasyMO: %s", words), l),
        .paragraph = words,
    };
}
