/*
 * test_guard_words - telephone numbers said in pairs are found, whatever they are and in every
 * language; amounts that are said pass.
 */
#include "flow/guard.h"
#include "unit/unit.h"

struct tongue {
    const char *const units[10];
    const char *const teens[10]; /* NULL: like other tens, "kumi na moja" */
    const char *const tens[10];
    const char *joint;
};

static const struct tongue languages[] = {
    { { "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine" },
      { "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
        "eighteen", "nineteen" },
      { "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety" },
      "-" },
    { { "zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf" },
      { "dix", "onze", "douze", "treize", "quatorze", "quinze", "seize", "dix-sept", "dix-huit",
        "dix-neuf" },
      { "", "", "vingt", "trente", "quarante", "cinquante", "soixante", "septante", "quatre-vingt",
        "nonante" },
      "-" },
    { { "zeru", "rimwe", "kabiri", "gatatu", "kane", "gatanu", "gatandatu", "karindwi", "umunani",
        "icyenda" },
      { NULL },
      { "", "cumi", "makumyabiri", "mirongo itatu", "mirongo ine", "mirongo itanu",
        "mirongo itandatu", "mirongo irindwi", "mirongo inani", "mirongo cyenda" },
      " na " },
    { { "sifuri", "moja", "mbili", "tatu", "nne", "tano", "sita", "saba", "nane", "tisa" },
      { NULL },
      { "", "kumi", "ishirini", "thelathini", "arobaini", "hamsini", "sitini", "sabini",
        "themanini", "tisini" },
      " na " },
};

static const char *const between[] = { " ", ", ", " - ", ". ", " / " };

static const struct guard_rules rules = { .own_number = "+250788111222" };
static uint32_t seed = 20261203;

static int
pick(int n)
{
    seed = seed * 1664525u + 1013904223u;
    return (int)(seed >> 8) % n;
}

/* Two digits as they are said: "zero five", "twelve", "thirty-four". */
static const char *
pair(struct arena *a, const struct tongue *l, int value)
{
    int tens = value / 10;
    int unit = value % 10;

    if (tens == 0)
        return arena_printf(a, "%s %s", l->units[0], l->units[unit]);
    if (tens == 1 && l->teens[0] != NULL)
        return l->teens[unit];
    if (unit == 0)
        return l->tens[tens];
    return arena_printf(a, "%s%s%s", l->tens[tens], l->joint, l->units[unit]);
}

static void
test_any_number_in_pairs_is_found(void **state)
{
    static const int mobile[] = { 72, 73, 78, 79 };

    for (int round = 0; round < 2000; round++) {
        const struct tongue *l = &languages[round % (int)COUNT_OF(languages)];
        const char *gap = between[pick(COUNT_OF(between))];
        int begin = mobile[pick(COUNT_OF(mobile))];
        const char *text =
            arena_printf(*state, "Please call them on %s", pair(*state, l, begin / 10));

        text =
            arena_printf(*state, "%s%s%s", text, gap, pair(*state, l, begin % 10 * 10 + pick(10)));
        for (int i = 0; i < 3; i++)
            text = arena_printf(*state, "%s%s%s", text, gap, pair(*state, l, pick(100)));
        text = arena_printf(*state, "%s today before noon.", text);
        expect_true(text, strcmp(guard_text(*state, text, &rules).reason, "numbers") == 0);
    }
}

static void
test_any_amount_passes(void **state)
{
    static const char *const thousand[] = { "thousand francs", "mille francs", "z'ibihumbi",
                                            "elfu" };

    for (int round = 0; round < 2000; round++) {
        size_t which = (size_t)round % COUNT_OF(languages);
        const struct tongue *l = &languages[which];
        const char *text = "It costs";

        for (int i = 0; i < 4; i++)
            text = arena_printf(*state, "%s %s %s,", text, pair(*state, l, 10 + pick(90)),
                                thousand[which]);
        text = arena_printf(*state, "%s as you like.", text);
        expect_true(text, strcmp(guard_text(*state, text, &rules).text, text) == 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_any_number_in_pairs_is_found),
        ARENA_TEST(test_any_amount_passes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
