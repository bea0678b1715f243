/*
 * guard_scan - reducing characters to what a reader takes them for, and putting the text together
 * again without what was cut out.
 */
#include "flow/guard_scan.h"

#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "core/latin.h"

/* Runs of characters that stand for consecutive ASCII ones. */
static const struct {
    uint32_t first, last;
    char base;
    unsigned period; /* 0: as many as the run is long */
} runs[] = {
    { 0xFF01, 0xFF5E, '!', 0 },    { 0x0660, 0x0669, '0', 0 },   { 0x06F0, 0x06F9, '0', 0 },
    { 0x07C0, 0x07C9, '0', 0 },    { 0x0966, 0x096F, '0', 0 },   { 0x09E6, 0x09EF, '0', 0 },
    { 0x0A66, 0x0A6F, '0', 0 },    { 0x0AE6, 0x0AEF, '0', 0 },   { 0x0BE6, 0x0BEF, '0', 0 },
    { 0x0C66, 0x0C6F, '0', 0 },    { 0x0CE6, 0x0CEF, '0', 0 },   { 0x0D66, 0x0D6F, '0', 0 },
    { 0x1040, 0x1049, '0', 0 },    { 0x17E0, 0x17E9, '0', 0 },   { 0x0E50, 0x0E59, '0', 0 },
    { 0x1369, 0x1371, '1', 0 },    { 0x2070, 0x2070, '0', 0 },   { 0x2074, 0x2079, '4', 0 },
    { 0x2080, 0x2089, '0', 0 },    { 0x2460, 0x2468, '1', 0 },   { 0x2474, 0x247C, '1', 0 },
    { 0x2776, 0x277E, '1', 0 },    { 0x2780, 0x2788, '1', 0 },   { 0x278A, 0x2792, '1', 0 },
    { 0x24B6, 0x24CF, 'a', 0 },    { 0x24D0, 0x24E9, 'a', 0 },   { 0x1D400, 0x1D6A3, 'a', 26 },
    { 0x1D7CE, 0x1D7FF, '0', 10 }, { 0x1F130, 0x1F149, 'a', 0 }, { 0x1F150, 0x1F169, 'a', 0 },
    { 0x1F170, 0x1F189, 'a', 0 },  { 0x2000, 0x200A, ' ', 1 },   { 0x2010, 0x2015, '-', 1 },
};

/* Single characters that look or read like an ASCII one. */
static const struct {
    uint32_t code;
    char ascii;
} alike[] = {
    { 0xA0, ' ' },    { 0x202F, ' ' },  { 0x205F, ' ' },  { 0x3000, ' ' }, { 0x2028, '\n' },
    { 0x2029, '\n' }, { 0xB2, '2' },    { 0xB3, '3' },    { 0xB9, '1' },   { 0x24EA, '0' },
    { 0x2024, '.' },  { 0x3002, '.' },  { 0xFE52, '.' },  { 0xFF61, '.' }, { 0x2044, '/' },
    { 0x2215, '/' },  { 0x29F8, '/' },  { 0x2236, ':' },  { 0xA789, ':' }, { 0xFE55, ':' },
    { 0x2212, '-' },  { 0xFE58, '-' },  { 0xFE63, '-' },  { 0xFE62, '+' }, { 0x2795, '+' },
    { 0x2018, '\'' }, { 0x2019, '\'' }, { 0x02BC, '\'' }, { 0x201C, '"' }, { 0x201D, '"' },
    { 0xAB, '"' },    { 0xBB, '"' },    { 0x0430, 'a' },  { 0x0435, 'e' }, { 0x043E, 'o' },
    { 0x0440, 'p' },  { 0x0441, 'c' },  { 0x0443, 'y' },  { 0x0445, 'x' }, { 0x0456, 'i' },
    { 0x0455, 's' },  { 0x0458, 'j' },  { 0x04BB, 'h' },  { 0x0501, 'd' }, { 0x051B, 'q' },
    { 0x051D, 'w' },  { 0x0410, 'a' },  { 0x0412, 'b' },  { 0x0415, 'e' }, { 0x041A, 'k' },
    { 0x041C, 'm' },  { 0x041D, 'h' },  { 0x041E, 'o' },  { 0x0420, 'p' }, { 0x0421, 'c' },
    { 0x0422, 't' },  { 0x0425, 'x' },  { 0x03BF, 'o' },  { 0x03BD, 'v' }, { 0x03B1, 'a' },
    { 0x039F, 'o' },  { 0x0391, 'a' },  { 0x0261, 'g' },  { 0x2113, 'l' },
};

static bool
is_other_letter(uint32_t code)
{
    return code >= 0xC0 && code != 0xD7 && code != 0xF7 && !(code >= 0x2000 && code <= 0x2BFF) &&
           !(code >= 0x2E00 && code <= 0x2E7F) && !(code >= 0x3000 && code <= 0x303F) &&
           !(code >= 0xE000 && code <= 0xF8FF) && !(code >= 0xFE00 && code <= 0xFE6F) &&
           !(code >= 0xFFF0 && code <= 0xFFFF) && code < 0x1F000;
}

static char
fold(uint32_t code)
{
    char base;

    if (code < 0x80)
        return (char)(code >= 'A' && code <= 'Z' ? code - 'A' + 'a' : code);
    for (size_t i = 0; i < COUNT_OF(alike); i++) {
        if (alike[i].code == code)
            return alike[i].ascii;
    }
    for (size_t i = 0; i < COUNT_OF(runs); i++) {
        if (code >= runs[i].first && code <= runs[i].last) {
            uint32_t step = code - runs[i].first;
            uint32_t ascii =
                (uint32_t)runs[i].base + (runs[i].period > 0 ? step % runs[i].period : step);
            return fold(ascii < 0x80 ? ascii : '?');
        }
    }
    base = latin_base(code);
    if (base != '\0')
        return (char)(base >= 'A' && base <= 'Z' ? base - 'A' + 'a' : base);
    return is_other_letter(code) ? GUARD_LETTER : GUARD_SYMBOL;
}

/* Drawn on or with the character before it. */
static bool
is_attached(uint32_t code)
{
    return latin_is_mark(code) || code == 0x200D || (code >= 0xFE00 && code <= 0xFE0F) ||
           code == 0x20E3 || (code >= 0x1F3FB && code <= 0x1F3FF);
}

struct guard_scan
guard_scan_make(struct arena *a, const char *raw)
{
    size_t max = strlen(raw);
    char *folded = arena_alloc(a, max + 1);
    struct guard_scan s = {
        .arena = a,
        .raw = raw,
        .fold = folded,
        .at = arena_array(a, max + 1, sizeof(*s.at)),
        .cut = arena_array(a, max + 1, sizeof(*s.cut)),
        .kept = arena_array(a, max + 1, sizeof(*s.kept)),
    };
    const char *end = raw + max;

    for (const char *p = raw; p < end;) {
        size_t from = (size_t)(p - raw);
        uint32_t code = utf8_next(&p, end);

        if (s.n > 0 && is_attached(code))
            continue;
        folded[s.n] = fold(code);
        s.at[s.n++] = from;
    }
    folded[s.n] = '\0';
    s.at[s.n] = max;
    return s;
}

void
guard_scan_cut(struct guard_scan *s, size_t from, size_t to)
{
    for (size_t i = from; i < to && i < s->n; i++) {
        s->n_cut += !s->cut[i];
        s->cut[i] = true;
    }
}

void
guard_scan_keep(struct guard_scan *s, size_t from, size_t to)
{
    memset(s->kept + from, true, (to - from) * sizeof(*s->kept));
}

static bool
is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == GUARD_LETTER;
}

/* A line that has lost something and has no word left, or only its list number, goes altogether. */
static bool
line_is_left_empty(const struct guard_scan *s, size_t from, size_t to)
{
    bool lost = false;
    bool has_word = false;

    for (size_t i = from; i < to; i++) {
        lost = lost || s->cut[i];
        has_word = has_word ||
                   (!s->cut[i] && is_word(s->fold[i]) && (s->fold[i] < '0' || s->fold[i] > '9'));
    }
    return lost && !has_word;
}

/* What remains of a pair that held nothing but what was cut. The star of "*182*1*" opens none. */
static bool
drop_empty_pair(struct buf *b, char closing)
{
    static const char closings[] = ")]>}\"*_";
    static const char openings[] = "([<{\"*_";
    const char *pair = closing != '\0' ? strchr(closings, closing) : NULL;
    size_t len = b->len;

    if (pair == NULL)
        return false;
    while (*pair != openings[pair - closings] && len > 0 && b->data[len - 1] == ' ')
        len--;
    if (len == 0 || b->data[len - 1] != openings[pair - closings] ||
        (*pair == b->data[len - 1] && len > 1 && is_word(b->data[len - 2])))
        return false;
    buf_cut(b, len - 1);
    return true;
}

/* One line without what is marked. */
static void
add_line(const struct guard_scan *s, size_t from, size_t to, struct buf *b)
{
    bool after_cut = false;

    for (size_t i = from; i < to; i++) {
        char c = s->fold[i];

        if (s->cut[i]) {
            after_cut = true;
            continue;
        }
        if (after_cut && drop_empty_pair(b, c))
            continue;
        if (after_cut && c == ' ' &&
            (b->len == 0 || b->data[b->len - 1] == ' ' || b->data[b->len - 1] == '\n'))
            continue;
        if (after_cut && strchr(".,;:!?", c) != NULL) {
            while (b->len > 0 && strchr(" ,;:", b->data[b->len - 1]) != NULL)
                buf_cut(b, b->len - 1);
        }
        after_cut = after_cut && c == ' ';
        buf_add(b, s->raw + s->at[i], s->at[i + 1] - s->at[i]);
    }
    while (b->len > 0 && b->data[b->len - 1] == ' ')
        buf_cut(b, b->len - 1);
}

const char *
guard_scan_text(const struct guard_scan *s)
{
    struct buf b = buf_init(s->arena, s->at[s->n] + 2);
    bool lines = false;

    if (s->n_cut == 0)
        return s->raw;
    for (size_t i = 0; i < s->n;) {
        size_t end = i;

        while (end < s->n && s->fold[end] != '\n')
            end++;
        if (!line_is_left_empty(s, i, end)) {
            if (lines)
                buf_addc(&b, '\n');
            add_line(s, i, end, &b);
            lines = true;
        }
        i = end + 1;
    }
    while (b.len > 0 && (b.data[b.len - 1] == '\n' || b.data[b.len - 1] == ' '))
        buf_cut(&b, b.len - 1);
    return b.len > 0 ? b.data : "";
}

char *
guard_scan_words(struct arena *a, const char *text)
{
    struct guard_scan s = guard_scan_make(a, text);
    char *out = arena_alloc(a, s.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (is_word(s.fold[i]))
            out[n++] = s.fold[i];
        else if (n > 0 && out[n - 1] != ' ' && s.fold[i] != '\'')
            out[n++] = ' ';
    }
    while (n > 0 && out[n - 1] == ' ')
        n--;
    out[n] = '\0';
    return out;
}
