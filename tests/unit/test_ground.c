/*
 * ground - what a point may say, given what was said.
 */
#include "core/ground.h"
#include "unit/unit.h"

struct row {
    const char *said;
    const char *point;
    bool holds;
};

static void
check(struct arena *a, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct ground *g = ground_new(a);

        ground_add(g, rows[i].said);
        if (ground_holds(g, rows[i].point) != rows[i].holds)
            fail_msg("\"%s\" from \"%s\": not %d", rows[i].point, rows[i].said, rows[i].holds);
    }
}

static void
test_numbers(void **state)
{
    static const struct row rows[] = {
        /* one number, many spellings */
        { "my budget is 250,000 francs", "The budget is 250000", true },
        { "my budget is 250000", "The budget is 250k", true },
        { "my budget is 250k", "The budget is 250,000 RWF", true },
        { "250 000 Frw", "250.000 Frw", true },
        { "250\xE2\x80\xAF"
          "000",
          "250'000", true },
        { "250 thousand", "250,000", true },
        { "250 K", "250000", true },
        { "RWF250,000", "250k", true },
        { "250Frw", "250 francs", true },
        { "two hundred fifty thousand", "250,000", true },
        { "two hundred and fifty thousand francs", "250k", true },
        { "deux cent cinquante mille", "250 000", true },
        { "quatre-vingt-dix mille", "90,000", true },
        { "soixante-dix", "70", true },
        { "ibihumbi magana abiri na mirongo itanu", "250,000", true },
        { "ibihumbi 250", "250000", true },
        { "ijana na makumyabiri", "120", true },
        { "laki mbili na elfu hamsini", "250,000", true },
        { "elfu mbili mia tano", "2500", true },
        { "elfu 5", "5,000", true },
        { "milioni mbili", "2,000,000", true },
        { "1.5 million", "1,500,000", true },
        { "2m francs", "2,000,000", true },
        { "a house with two rooms", "A house with 2 rooms", true },
        { "a house with 2 rooms", "A house with two rooms", true },
        { "call me on 0788 123 456", "Your number is 0788123456", true },
        { "call me on 0788 123 456", "Your number is 0788 123 456", true },
        { "at 10:30", "At 10:30", true },
        { "at 10 30", "At 10h30", true },
        { "3.50", "3.5", true },
        { "1,250", "1250", true },
        /* another number */
        { "my budget is 250,000", "The budget is 300,000", false },
        { "my budget is 250,000", "The budget is 250", false },
        { "my budget is 250", "The budget is 250k", false },
        { "my budget is 25", "The budget is 2.5", false },
        { "a house", "A house for 100k", false },
        { "a house", "A house for three hundred thousand francs", false },
        { "a house with 2 rooms", "A house with 3 rooms", false },
        { "at 10:30", "At 10:45", false },
        { "0788 123 456", "0788123457", false },
        { "", "There are 7 offers", false },
        { "1000000000000000000001", "1000000000000000000002", false },
        { "1000000000000000000001", "1000000000000000000001", true },
        /* words that only look like numbers */
        { "I want a house", "One of the houses is free", true },
        { "no figures here", "no figures here", true },
    };

    check(*state, rows, COUNT_OF(rows));
}

static void
test_names(void **state)
{
    static const struct row rows[] = {
        { "a house in kimironko please", "You look for a house in Kimironko", true },
        { "a house in Kimironko", "The house is near Kimironko's market", true },
        { "I am Aline", "Inzu y'Aline", true },
        { "je m'appelle Th\xC3\xA9og\xC3\xA8ne", "Vous \xC3\xAAtes Theogene", true },
        { "a house in Kimironko", "You look for a house in Remera", false },
        { "the owner will call", "The owner, Patrick, will call you", false },
        { "the owner will call", "Mr Patrick Mugabo will call you", false },
        { "the owner will call", "The owner will call. He is kind", true },
        { "the owner will call", "Owner: He will call you by WhatsApp", true },
        { "", "You called EasyMO about RWF", true },
        { "a room", "Patrick will call", true }, /* what opens a sentence is not told from a name */
    };

    check(*state, rows, COUNT_OF(rows));
}

static void
test_dates(void **state)
{
    static const struct row rows[] = {
        { "come on Friday", "Visite vendredi", true },
        { "venez vendredi", "Visit on Friday", true },
        { "muzaze ku wa gatanu", "Visit on Friday", true },
        { "njoo ijumaa", "Visit on Friday", true },
        { "come on Friday", "Visit on Saturday", false },
        { "come on Friday", "Visite samedi", false },
        { "le 12 mars", "On 12 March", true },
        { "le 12 mars", "On 13 March", false },
        { "le 12 mars", "On 12 April", false },
        { "12/03/2026", "On 12/03/2026", true },
        { "come", "You may come", true },
        { "come", "You come in May", false },
        { "tarehe 3 mei", "Tarehe 3 mei", true },
    };

    check(*state, rows, COUNT_OF(rows));
}

static void
test_many_texts(void **state)
{
    struct ground *g = ground_new(*state);
    char text[64];

    for (int i = 0; i < 20000; i++) {
        (void)snprintf(text, sizeof(text), "house %d costs %d francs", i, i * 7);
        ground_add(g, text);
    }
    assert_true(ground_holds(g, "House 19999 costs 139993 francs"));
    assert_false(ground_holds(g, "House 20001 costs 139993 francs"));
    ground_add(g, "\xFF\xFE broken \xC3");
    ground_add(g,
               "\xCC\x81 a mark alone, and an endless word: "
               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    assert_true(ground_holds(g, ""));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_numbers),
        ARENA_TEST(test_names),
        ARENA_TEST(test_dates),
        ARENA_TEST(test_many_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
