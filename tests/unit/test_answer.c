/*
 * test_answer - lists to choose from, choices, and long texts in parts.
 */
#include "base/str.h"
#include "core/sms_text.h"
#include "flow/answer.h"
#include "unit/unit.h"

static const struct {
    const char *name;
    const char *text;
    const char *want; /* joined by | */
} lists[] = {
    { "dots", "I have:\n1. Kimironko, 250,000\n2. Remera, 280,000\nWhich one?",
      "Kimironko, 250,000|Remera, 280,000" },
    { "brackets", "1) Moto\n2) Taxi\n3) Bus", "Moto|Taxi|Bus" },
    { "colons", "1: Moto\n2: Taxi", "Moto|Taxi" },
    { "dashes behind numbers", "1 - Moto\n2 - Taxi\n3- Bus", "Moto|Taxi|Bus" },
    { "long dashes", "1 \xE2\x80\x93 Moto\n2 \xE2\x80\x94 Taxi", "Moto|Taxi" },
    { "items that go on",
      "1. Remera\n   two rooms, 280,000\n\tfree now\n2. Gikondo\n   one room\nWhich?",
      "Remera|Gikondo" },
    { "a list inside an item", "1. Remera\n   1. two rooms\n   - a garden\n2. Gikondo",
      "Remera|Gikondo" },
    { "times and ranges", "1:30 is late\n2:30 too", "" },
    { "a range", "1-2 rooms\n2-3 rooms", "" },
    { "blank lines between", "1. a\n\n2. b\n\n3. c", "a|b|c" },
    { "indented", "  1. a\n  2. b", "a|b" },
    { "bold", "*1.* Kimironko\n*2.* *Remera*", "Kimironko|Remera" },
    { "full stops go", "1. Kimironko.\n2. Remera;", "Kimironko|Remera" },
    { "ten", "1. a\n2. b\n3. c\n4. d\n5. e\n6. f\n7. g\n8. h\n9. i\n10. j", "a|b|c|d|e|f|g|h|i|j" },
    { "the first list counts", "1. a\n2. b\nor\n1. c\n2. d\n3. e", "a|b" },
    { "Windows line ends", "1. a\r\n2. b\r\n", "a|b" },
    { "eleven", "1. a\n2. b\n3. c\n4. d\n5. e\n6. f\n7. g\n8. h\n9. i\n10. j\n11. k", "" },
    { "one", "1. a\nThat is all.", "" },
    { "dashes", "- a\n- b", "" },
    { "from 2", "2. a\n3. b", "" },
    { "gap", "1. a\n3. b", "" },
    { "no blank", "1.5 rooms\n2.5 rooms", "" },
    { "a date", "1. 12. 2025 is the day", "" },
    { "empty item", "1. \n2. b", "" },
    { "in a sentence", "Take 1. or 2. as you like", "" },
    { "nothing", "", "" },
};

static void
test_answer_options(void **state)
{
    struct arena *a = *state;

    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        const char *options[ANSWER_MAX_OPTIONS];
        size_t n = answer_options(a, lists[i].text, options);
        const char *got = "";

        for (size_t k = 0; k < n; k++)
            got = arena_printf(a, "%s%s%s", got, k > 0 ? "|" : "", options[k]);
        expect_text(lists[i].name, got, lists[i].want);
    }
}

static void
test_answer_choice(void **state)
{
    static const struct {
        const char *text;
        int choice;
    } rows[] = {
        { "2", 2 },        { " 2 ", 2 },      { "2.", 2 },        { "2)", 2 },    { "#2", 2 },
        { "(2)", 2 },      { "10", 10 },      { "No 2", 2 },      { "no. 2", 2 }, { "Option 3", 3 },
        { "numéro 2", 2 }, { "nimero 2", 2 }, { "chaguo 1!", 1 }, { "2 👍", 2 },   { "2️⃣", 2 },
        { "0", 0 },        { "11", 0 },       { "02", 0 },        { "-2", 0 },    { "2 rooms", 0 },
        { "1 or 2", 0 },   { "2,5", 0 },      { "250,000", 0 },   { "two", 0 },   { "", 0 },
        { "yes", 0 },      { "2 2", 0 },      { "٢", 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_int(rows[i].text, answer_choice(rows[i].text), rows[i].choice);
}

static void
test_answer_wants_more(void **state)
{
    static const char *const yes[] = { "1",
                                       "1.",
                                       "More",
                                       "more!",
                                       "MORE please",
                                       "suite",
                                       "Suite.",
                                       "ibindi",
                                       "IBINDI",
                                       "zaidi",
                                       "Zaidi!",
                                       "komeza",
                                       " 1 \n",
                                       "1 to 8080",
                                       "MORE to 8080.",
                                       "IBINDI kuri 8080",
                                       "suite au 8080" };
    static const char *const no[] = { "2",      "11",      "",          "more rooms",     "no more",
                                      "1 room", "stop",    "no",        "Is there more?", "suites",
                                      "1 8080", "to 8080", "2 to 8080", "1 to 80" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(yes); i++)
        expect_true(yes[i], answer_wants_more(yes[i]));
    for (size_t i = 0; i < COUNT_OF(no); i++)
        expect_true(no[i], !answer_wants_more(no[i]));
}

/* n sentences of 40 characters each. */
static char *
sentences(struct arena *a, size_t n)
{
    char *text = arena_strdup(a, "");

    for (size_t i = 0; i < n; i++)
        text = arena_printf(a, "%s%sThis sentence is number %02zu, a short one.", text,
                            i > 0 ? " " : "", i + 1);
    return text;
}

static const struct answer_lines plain_lines = { "1 for more", "" };

static void
test_short_text_is_one_part(void **state)
{
    struct arena *a = *state;
    const char *parts[ANSWER_MAX_PARTS];

    assert_int_equal(answer_parts(a, "Hello", 2, &plain_lines, parts), 1);
    assert_string_equal(parts[0], "Hello");
    assert_int_equal(answer_parts(a, sentences(a, 7), 2, &plain_lines, parts), 1);
    assert_string_equal(parts[0], sentences(a, 7));
}

static void
test_long_text_is_cut_behind_sentences(void **state)
{
    struct arena *a = *state;
    const char *parts[ANSWER_MAX_PARTS];
    size_t n = answer_parts(a, sentences(a, 16), 2, &plain_lines, parts);

    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++)
        assert_true(sms_text_size(parts[i]).segments <= 2);
    assert_non_null(strstr(parts[0], "short one.\n1 for more"));
    assert_non_null(strstr(parts[1], "short one.\n1 for more"));
    assert_null(strstr(parts[2], "for more"));
    assert_string_equal(parts[0] + strlen(parts[0]) - strlen("\n1 for more"), "\n1 for more");
    assert_int_equal(strncmp(parts[1], "This sentence", 13), 0);
    assert_non_null(strstr(parts[2], "number 16, a short one."));
}

static void
test_nothing_is_lost_between_parts(void **state)
{
    struct arena *a = *state;
    const char *parts[ANSWER_MAX_PARTS];
    char *text = sentences(a, 20);
    const char *joined = "";
    size_t n;

    for (char *p = text; *p != '\0'; p++) /* no sentences: words only */
        *p = *p == '.' ? 'x' : *p;
    n = answer_parts(a, text, 2, &plain_lines, parts);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++)
        joined = arena_printf(a, "%s%s%.*s", joined, i > 0 ? " " : "", (int)strcspn(parts[i], "\n"),
                              parts[i]);
    assert_string_equal(joined, text);
}

/* As much as goes to WhatsApp, in any script. */
static void
test_all_of_a_long_answer_waits(void **state)
{
    struct arena *a = *state;
    const char *parts[ANSWER_MAX_PARTS];
    char *wide = arena_alloc(a, 4 * 4096 + 1);
    size_t n = answer_parts(a, sentences(a, 96), 2, &plain_lines, parts); /* 4,000 letters */

    assert_in_range(n, 14, 20);
    assert_non_null(strstr(parts[2], "1 for more"));
    assert_non_null(strstr(parts[n - 1], "number 96, a short one."));
    for (size_t i = 0; i < 4096; i++)
        memcpy(wide + 4 * i, "\xF0\x9F\x8F\xA0", 4);
    n = answer_parts(a, wide, 2, &plain_lines, parts);
    assert_true(n <= ANSWER_MAX_PARTS);
    assert_null(strstr(parts[n - 1], "..."));
}

static void
test_endless_words_and_other_scripts(void **state)
{
    struct arena *a = *state;
    const char *parts[ANSWER_MAX_PARTS];
    char *text = arena_alloc(a, 901);
    size_t n;

    memset(text, 'a', 900);
    n = answer_parts(a, text, 2, &plain_lines, parts);
    assert_int_equal(n, 4);
    for (size_t i = 0; i < n; i++)
        assert_true(sms_text_size(parts[i]).segments <= 2);
    text = arena_strdup(a, "");
    for (int i = 0; i < 100; i++)
        text = arena_printf(a, "%sсло", text);
    n = answer_parts(a, text, 2, &plain_lines, parts);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++)
        assert_true(sms_text_size(parts[i]).segments <= 2);
}

static void
test_what_was_cut_ends_with_a_sentence(void **state)
{
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {
        { "The house is free. It has two rooms and a gar", "The house is free." },
        { "Is it free? Yes! It has two roo", "Is it free? Yes!" },
        { "I found:\n1. Remera, 280,000\n2. Gikondo, 25", "I found:\n1. Remera, 280,000" },
        { "I found two.\n1. Remera\n2.", "I found two.\n1. Remera" },
        { "The house of Mr. A. Kamanzi is fr", "The house of Mr." },
        { "It costs 250.000 in Reme", "It costs 250.000 in Reme" },
        { "All of it is there.", "All of it is there." },
        { "This is cut off in the mid", "This is cut off in the mid" },
        { "", "" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_text(rows[i].text, answer_whole(*state, rows[i].text), rows[i].want);
}

/* What a text ends in goes behind it if all of it fits; else it is the line that asks. */
static void
test_last_line(void **state)
{
    static const struct answer_lines lines = { "For more: 1 to 8080", "Reply to 8080." };
    struct arena *a = *state;
    const char *parts[ANSWER_MAX_PARTS];

    assert_int_equal(answer_parts(a, "Hello", 2, &lines, parts), 1);
    assert_string_equal(parts[0], "Hello\nReply to 8080.");
    for (size_t len = 280; len < 320; len++) {
        const char *row = str_from_int(a, (int64_t)len);
        char *text = arena_strdup(a, sentences(a, 8));
        size_t n;

        text[len] = '\0';
        n = answer_parts(a, text, 2, &lines, parts);
        expect_int(row, (int)n, len <= 306 - strlen("\nReply to 8080.") ? 1 : 2);
        expect_true(row, str_ends(parts[0], n == 1 ? "\nReply to 8080." : "\nFor more: 1 to 8080"));
        for (size_t i = 0; i < n; i++) {
            expect_true(row, sms_text_size(parts[i]).segments <= 2);
            expect_true(row, *parts[i] != '\0');
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_answer_options),
        ARENA_TEST(test_answer_choice),
        ARENA_TEST(test_answer_wants_more),
        ARENA_TEST(test_short_text_is_one_part),
        ARENA_TEST(test_long_text_is_cut_behind_sentences),
        ARENA_TEST(test_nothing_is_lost_between_parts),
        ARENA_TEST(test_all_of_a_long_answer_waits),
        ARENA_TEST(test_endless_words_and_other_scripts),
        ARENA_TEST(test_what_was_cut_ends_with_a_sentence),
        ARENA_TEST(test_last_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
