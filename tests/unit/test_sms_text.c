/*
 * test_sms_text - sizes against vectors and against a second way of counting, and cuts that keep
 * their promise.
 */
#include "base/buf.h"
#include "base/utf8.h"
#include "core/gsm7.h"
#include "core/sms_text.h"
#include "unit/unit.h"

#define TEXT_MAX 8192

struct piece {
    const char *text;
    size_t times;
};

static char *
pieces_join(struct arena *a, const struct piece pieces[3])
{
    struct buf b = buf_init(a, TEXT_MAX);
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < pieces[i].times; k++)
            buf_adds(&b, pieces[i].text);
    }
    return b.data;
}

static void
expect_size(const char *name, struct sms_size got, struct sms_size want)
{
    if (got.encoding != want.encoding || got.units != want.units || got.segments != want.segments)
        fail_msg("%s: got %s %d units %d segments, want %s %d units %d segments", name,
                 got.encoding == SMS_GSM7 ? "GSM-7" : "UCS-2", got.units, got.segments,
                 want.encoding == SMS_GSM7 ? "GSM-7" : "UCS-2", want.units, want.segments);
}

static const struct {
    const char *name;
    struct piece pieces[3];
    struct sms_size want;
} sizes[] = {
    { "empty", { { "", 0 } }, { SMS_GSM7, 0, 0 } },
    { "one letter", { { "a", 1 } }, { SMS_GSM7, 1, 1 } },
    { "a x 160", { { "a", 160 } }, { SMS_GSM7, 160, 1 } },
    { "a x 161", { { "a", 161 } }, { SMS_GSM7, 161, 2 } },
    { "a x 306", { { "a", 306 } }, { SMS_GSM7, 306, 2 } },
    { "a x 307", { { "a", 307 } }, { SMS_GSM7, 307, 3 } },
    { "a x 459", { { "a", 459 } }, { SMS_GSM7, 459, 3 } },
    { "a x 460", { { "a", 460 } }, { SMS_GSM7, 460, 4 } },
    { "euro x 80", { { "€", 80 } }, { SMS_GSM7, 160, 1 } },
    { "euro x 81", { { "€", 81 } }, { SMS_GSM7, 162, 2 } },
    /* 76 pairs in a part, not 76.5. */
    { "euro x 152", { { "€", 152 } }, { SMS_GSM7, 304, 2 } },
    { "euro x 153", { { "€", 153 } }, { SMS_GSM7, 306, 3 } },
    { "pair at the edge, fits", { { "a", 152 }, { "€", 1 }, { "a", 151 } }, { SMS_GSM7, 305, 2 } },
    { "pair at the edge, 3", { { "a", 152 }, { "€", 1 }, { "a", 152 } }, { SMS_GSM7, 306, 3 } },
    { "pair before the edge", { { "a", 151 }, { "€", 1 }, { "a", 153 } }, { SMS_GSM7, 306, 2 } },
    { "pair in one part", { { "a", 158 }, { "€", 1 } }, { SMS_GSM7, 160, 1 } },
    { "pair over one part", { { "a", 159 }, { "€", 1 } }, { SMS_GSM7, 161, 2 } },
    { "c-cedilla, capital x 160", { { "Ç", 160 } }, { SMS_GSM7, 160, 1 } },
    { "c-cedilla, small", { { "ç", 1 } }, { SMS_UCS2, 1, 1 } },
    { "extension table", { { "{}[]\\~|^€", 1 } }, { SMS_GSM7, 18, 1 } },
    { "form feed", { { "\f", 1 } }, { SMS_GSM7, 2, 1 } },
    { "line ends", { { "\r\n", 1 } }, { SMS_GSM7, 2, 1 } },
    { "back-tick", { { "`", 1 } }, { SMS_UCS2, 1, 1 } },
    { "escape itself", { { "\x1b", 1 } }, { SMS_UCS2, 1, 1 } },
    { "tab", { { "\t", 1 } }, { SMS_UCS2, 1, 1 } },
    { "no-break space", { { "\u00A0", 1 } }, { SMS_UCS2, 1, 1 } },
    { "e-circumflex x 70", { { "ê", 70 } }, { SMS_UCS2, 70, 1 } },
    { "e-circumflex x 71", { { "ê", 71 } }, { SMS_UCS2, 71, 2 } },
    { "e-circumflex x 134", { { "ê", 134 } }, { SMS_UCS2, 134, 2 } },
    { "e-circumflex x 135", { { "ê", 135 } }, { SMS_UCS2, 135, 3 } },
    { "emoji x 35", { { "😀", 35 } }, { SMS_UCS2, 70, 1 } },
    { "emoji x 36", { { "😀", 36 } }, { SMS_UCS2, 72, 2 } },
    { "emoji x 66", { { "😀", 66 } }, { SMS_UCS2, 132, 2 } },
    { "emoji x 67", { { "😀", 67 } }, { SMS_UCS2, 134, 3 } },
    { "surrogates at the edge", { { "ê", 66 }, { "😀", 1 }, { "ê", 66 } }, { SMS_UCS2, 134, 3 } },
    { "surrogates, less 1", { { "ê", 66 }, { "😀", 1 }, { "ê", 65 } }, { SMS_UCS2, 133, 2 } },
    { "one apostrophe", { { "a", 159 }, { "’", 1 } }, { SMS_UCS2, 160, 3 } },
    { "euro is one unit in UCS-2", { { "€", 69 }, { "ê", 1 } }, { SMS_UCS2, 70, 1 } },
    { "other script", { { "Кигали", 1 } }, { SMS_UCS2, 6, 1 } },
    { "broken UTF-8", { { "a\xFF", 1 } }, { SMS_UCS2, 2, 1 } },
};

static void
test_sms_text_size_vectors(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        expect_size(sizes[i].name, sms_text_size(pieces_join(a, sizes[i].pieces)), sizes[i].want);
    arena_free(&a);
}

/* 3GPP TS 23.038, tables of 6.2.1 and 6.2.1.1, by code; 0x1B is the escape. */
static const uint16_t alphabet[128] = {
    '@',    0xA3,   '$',    0xA5, 0xE8,   0xE9, 0xF9,   0xEC,   0xF2,   0xC7,   '\n',   0xD8,
    0xF8,   '\r',   0xC5,   0xE5, 0x0394, '_',  0x03A6, 0x0393, 0x039B, 0x03A9, 0x03A0, 0x03A8,
    0x03A3, 0x0398, 0x039E, 0,    0xC6,   0xE6, 0xDF,   0xC9,   ' ',    '!',    '"',    '#',
    0xA4,   '%',    '&',    '\'', '(',    ')',  '*',    '+',    ',',    '-',    '.',    '/',
    '0',    '1',    '2',    '3',  '4',    '5',  '6',    '7',    '8',    '9',    ':',    ';',
    '<',    '=',    '>',    '?',  0xA1,   'A',  'B',    'C',    'D',    'E',    'F',    'G',
    'H',    'I',    'J',    'K',  'L',    'M',  'N',    'O',    'P',    'Q',    'R',    'S',
    'T',    'U',    'V',    'W',  'X',    'Y',  'Z',    0xC4,   0xD6,   0xD1,   0xDC,   0xA7,
    0xBF,   'a',    'b',    'c',  'd',    'e',  'f',    'g',    'h',    'i',    'j',    'k',
    'l',    'm',    'n',    'o',  'p',    'q',  'r',    's',    't',    'u',    'v',    'w',
    'x',    'y',    'z',    0xE4, 0xF6,   0xF1, 0xFC,   0xE0,
};
static const uint16_t extension[] = { '\f', '^', '{', '}', '\\', '[', '~', ']', '|', 0x20AC };

static int
table_septets(uint32_t code)
{
    for (size_t i = 0; i < COUNT_OF(extension); i++) {
        if (extension[i] == code)
            return 2;
    }
    for (size_t i = 0; i < COUNT_OF(alphabet); i++) {
        if (alphabet[i] == code && code != 0)
            return 1;
    }
    return 0;
}

static void
test_gsm7_septets_of_all_characters(void **state)
{
    (void)state;
    int known = 0;
    for (uint32_t code = 0; code <= 0xFFFF; code++) {
        int got = gsm7_septets(code);
        if (got != table_septets(code))
            fail_msg("U+%04X: got %d", (unsigned)code, got);
        known += got > 0;
    }
    assert_int_equal(known, 127 + 10);
}

static const char *const letters[] = {
    "a", "b", "o", "z",  " ",           " ",      ".",        ",",       "\n", "0",
    "€", "{", "é", "à",  "word",        "muraho", " ",        "(",       "-",  "~",
    "ñ", "Σ", "¿", "@",  "amafaranga ", /* GSM-7 up to here */
    "ç", "ê", "’", "中", "ж",           "😀",      "👍🏽", "e\u0301", "🇷🇼", "\t",
};
#define GSM7_LETTERS 25

/* xorshift32: the same texts in every run. */
static uint32_t
random_next(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static char *
random_text(struct arena *a, uint32_t *seed)
{
    struct buf b = buf_init(a, TEXT_MAX);
    uint32_t n = random_next(seed) % 400;
    uint32_t kinds = random_next(seed) % 2 == 0 ? GSM7_LETTERS : (uint32_t)COUNT_OF(letters);
    uint32_t rare = random_next(seed) % 3; /* 0: a foreign letter now and then */
    for (uint32_t i = 0; i < n; i++) {
        bool is_plain = rare == 0 && random_next(seed) % 100 != 0;
        buf_adds(&b, letters[random_next(seed) % (is_plain ? GSM7_LETTERS : kinds)]);
    }
    return b.data;
}

/* The second way: write all units out, then cut the row at every part's length, one less when that
 * would cut a pair. */
static struct sms_size
size_by_cutting(const char *text)
{
    static unsigned char second_of_pair[4 * TEXT_MAX];
    const char *end = text + strlen(text);
    bool is_gsm7 = true;
    for (const char *p = text; p < end;)
        is_gsm7 = table_septets(utf8_next(&p, end)) > 0 && is_gsm7;
    size_t n = 0;
    for (const char *p = text; p < end;) {
        uint32_t code = utf8_next(&p, end);
        second_of_pair[n++] = 0;
        if (is_gsm7 ? table_septets(code) == 2 : code > 0xFFFF)
            second_of_pair[n++] = 1;
    }
    size_t single = is_gsm7 ? 160 : 70, part = is_gsm7 ? 153 : 67;
    struct sms_size size = { is_gsm7 ? SMS_GSM7 : SMS_UCS2, (int)n, n > 0 };
    if (n <= single)
        return size;
    for (size_t at = part; at < n; at += part) {
        at -= second_of_pair[at];
        size.segments++;
    }
    return size;
}

static void
test_sms_text_size_of_random_texts(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    uint32_t seed = 20230726;
    for (int i = 0; i < 4000; i++) {
        char *text = random_text(a, &seed);
        expect_size(text, sms_text_size(text), size_by_cutting(text));
        arena_reset(a);
    }
    arena_free(&a);
}

static void
expect_fit(struct arena *a, const char *text, int max)
{
    const char *fit = sms_text_fit(a, text, max);
    struct sms_size size = sms_text_size(fit);
    if (size.segments > max)
        fail_msg("%d segments instead of %d: \"%s\"", size.segments, max, fit);
    if (sms_text_size(text).segments <= max) {
        assert_string_equal(fit, text);
        return;
    }
    size_t n = strlen(fit);
    assert_true(n > 3 && strcmp(fit + n - 3, "...") == 0);
    assert_memory_equal(fit, text, n - 3);
    assert_true(utf8_valid(fit, n));
    /* A part has 67 units at least, less the dots and a letter that did not fit; a word may cost
     * half. */
    assert_true(n - 3 >= 25 * (size_t)max);
}

static void
test_sms_text_fit_random_texts(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    uint32_t seed = 1994;
    for (int i = 0; i < 4000; i++) {
        char *text = random_text(a, &seed);
        for (int max = 1; max <= 4; max++)
            expect_fit(a, text, max);
        arena_reset(a);
    }
    arena_free(&a);
}

static const struct {
    const char *name;
    int max;
    struct piece text[3];
    struct piece want[3];
} fits[] = {
    { "fits exactly", 1, { { "a", 160 } }, { { "a", 160 } } },
    { "fits two", 2, { { "a", 306 } }, { { "a", 306 } } },
    { "no room at all", 0, { { "a", 5 } }, { { "", 0 } } },
    { "negative room", -1, { { "a", 5 } }, { { "", 0 } } },
    { "empty", 1, { { "", 0 } }, { { "", 0 } } },
    { "one endless word", 1, { { "a", 161 } }, { { "a", 157 }, { "...", 1 } } },
    { "endless word in two", 2, { { "a", 307 } }, { { "a", 303 }, { "...", 1 } } },
    { "words, room for the dots", 1, { { "abcd ", 40 } }, { { "abcd ", 30 }, { "abcd...", 1 } } },
    { "word ends where the dots fit",
      1,
      { { "a", 157 }, { " ", 1 }, { "b", 9 } },
      { { "a", 157 }, { "...", 1 } } },
    { "word ends one too late",
      1,
      { { "abcdefghi ", 15 }, { "abcdefgh", 1 }, { " b", 9 } },
      { { "abcdefghi ", 14 }, { "abcdefghi...", 1 } } },
    { "comma before the cut",
      1,
      { { "abcdefghi, ", 14 }, { "b", 20 } },
      { { "abcdefghi, ", 13 }, { "abcdefghi...", 1 } } },
    { "full stop before the cut",
      1,
      { { "abcdefghi. ", 14 }, { "b", 20 } },
      { { "abcdefghi. ", 13 }, { "abcdefghi...", 1 } } },
    { "blanks before the cut",
      1,
      { { "abcdefghi  ", 14 }, { "b", 20 } },
      { { "abcdefghi  ", 13 }, { "abcdefghi...", 1 } } },
    { "line break before the cut",
      1,
      { { "abcdefghi\n", 15 }, { "b", 20 } },
      { { "abcdefghi\n", 14 }, { "abcdefghi...", 1 } } },
    { "short word, then an endless one",
      1,
      { { "Hi ", 1 }, { "a", 200 } },
      { { "Hi ", 1 }, { "a", 154 }, { "...", 1 } } },
    { "escape pair would be cut",
      1,
      { { "a", 156 }, { "€", 1 }, { "b", 9 } },
      { { "a", 156 }, { "...", 1 } } },
    { "escape pairs only", 1, { { "€", 81 } }, { { "€", 78 }, { "...", 1 } } },
    { "UCS-2", 1, { { "ê", 71 } }, { { "ê", 67 }, { "...", 1 } } },
    { "UCS-2 words", 1, { { "êêêê ", 20 } }, { { "êêêê ", 12 }, { "êêêê...", 1 } } },
    { "UCS-2 in two", 2, { { "ê", 135 } }, { { "ê", 131 }, { "...", 1 } } },
    { "surrogate pair would be cut",
      1,
      { { "ê", 66 }, { "😀", 1 }, { "ê", 9 } },
      { { "ê", 66 }, { "...", 1 } } },
    { "surrogate pair at a part's edge",
      2,
      { { "ê", 66 }, { "😀", 1 }, { "ê", 99 } },
      { { "ê", 66 },
        { "😀", 1 },
        { "êêêêêêêêêêêêêêêêêêêê"
          "êêêêêêêêêêêêêêêêêêêê"
          "êêêêêêêêêêêêêêêêêêêê"
          "êê...",
          1 } } },
    { "only the tail needs UCS-2",
      1,
      { { "abcd ", 20 }, { "中", 1 }, { " abcd", 20 } },
      { { "abcd ", 19 }, { "abcd...", 1 } } },
    { "no letter without its accent",
      1,
      { { "ж", 66 }, { "e\u0301", 9 } },
      { { "ж", 66 }, { "...", 1 } } },
    { "no thumb without its colour",
      1,
      { { "ж", 64 }, { "👍🏽", 9 } },
      { { "ж", 64 }, { "...", 1 } } },
};

static void
test_sms_text_fit_rows(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT_OF(fits); i++) {
        const char *got = sms_text_fit(a, pieces_join(a, fits[i].text), fits[i].max);
        const char *want = pieces_join(a, fits[i].want);
        if (strcmp(got, want) != 0)
            fail_msg("%s: got \"%s\"", fits[i].name, got);
    }
    arena_free(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sms_text_size_vectors),
        cmocka_unit_test(test_gsm7_septets_of_all_characters),
        cmocka_unit_test(test_sms_text_size_of_random_texts),
        cmocka_unit_test(test_sms_text_fit_random_texts),
        cmocka_unit_test(test_sms_text_fit_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
