/*
 * test_guard - what people write to each other about houses and rides passes untouched; what is
 * allowed is not taken out; a long text is capped.
 */
#include "flow/guard.h"
#include "unit/unit.h"

#define INSTRUCTIONS                                                                               \
    "You are EasyMO's assistant, the Call Center: the first one whom people in Rwanda talk to. "   \
    "You help to find a house, a ride, a job, a pharmacy, an insurance or a service. Be short "    \
    "and plain: at most three sentences, no markup, no links, no emoji."

static const char *const harmless[] = {
    "Noted: your budget is now 250k.",
    "The rent is 300,000 RWF a month.",
    "The rent is 300 000 RWF a month, 2 rooms.",
    "The rent is 300.000 Frw; the deposit is 600.000 Frw.",
    "Between 250 000 and 300 000 RWF.",
    "Between 250 000 - 300 000 RWF.",
    "Between 250,000-300,000 RWF for 2 rooms.",
    "It sells for 45,000,000 RWF, or 45 million.",
    "It sells for 120 000 000 RWF.",
    "It sells for 1 500 000 000 RWF.",
    "Price: 788,123,456 RWF for the whole plot.",
    "Price: 720 000 000 RWF.",
    "The visit is on 07/12/2025 at 10:30.",
    "The visit is on 07-12-2025, 14h30.",
    "The visit is on 2025-12-07 10:30.",
    "The visit is on 7.12.2025 at 8 a.m.",
    "Free from 01/01/2026 to 31/12/2026.",
    "From 2024-2025 it was let to a family of 5.",
    "Open 08:00-20:00, closed 12:30-13:30.",
    "The bus leaves at 06:15, 07:15 and 08:15.",
    "2 rooms, 1 bathroom, 120 m2, 15 km from town.",
    "Rooms: 2, 3 or 4. Which one?",
    "1. Kimironko, 250,000\n2. Remera, 280,000\n3. Kacyiru, 400,000",
    "1) Moto: 1,500 RWF\n2) Taxi: 6,000 RWF",
    "Flat 12B, house no. 45, street KG 11 Ave.",
    "The plot is UPI 1/02/03/04/1234.",
    "The place is at -1.94995, 30.05885.",
    "In an emergency call 112, the ambulance is 912.",
    "Reply to 8080 to go on.",
    "Dial *182*8*1# to pay by MoMo.",
    "Your reference is 48213.",
    "It is 24 degrees, 0.5 mm of rain, 60% humidity.",
    "The loan costs 2.5% over 36 months, that is 150,250.75 RWF.",
    "That is 10+5 people, and +1 child.",
    "Version 2.0 of the contract is better than 1.5.",
    "Good morning! How can I help you today?",
    "I do not know that. Which district do you prefer?",
    "It is near the market, e.g. behind the bank, i.e. on the left.",
    "Mr. Nkusi, Ph.D., lives in the U.S. now.",
    "The house is free.Call us when you are ready.",
    "It has water, light etc.In all 3 rooms.",
    "Let us talk about houses and land in Rwanda.",
    "You can find a house or a ride with us.",
    "Please send the papers: photo.jpg and contract.pdf.",
    "He said \"yes\": the price is right.",
    "Your meeting point is the bus park; the link road is closed.",
    "We need your name and the dates (from - to).",
    "Thank you 🙏 👨‍👩‍👧 see you soon!",
    "OK",
    "2",
    "Yes.",
    "Muraho! Inzu iri Kimironko, ibyumba 2, amafaranga 250,000 ku kwezi.",
    "Twabyanditse: ingengo y'imari yanyu ni 250k.",
    "Gusura ni ku wa gatanu saa 10:30, tariki ya 12/12/2025.",
    "Igiciro ni hagati ya 200 000 na 300 000 Frw.",
    "Mwatubwira akarere mushaka? Murakoze cyane.",
    "Nta nzu zihari ubu i Remera; twababwira nizaboneka.",
    "Bonjour ! La maison a 2 chambres, à 250 000 FRW par mois.",
    "C'est noté : votre budget est de 250 000 FRW.",
    "La visite est prévue le 12/12/2025 à 10h30.",
    "Le loyer va de 200 000 à 300 000 francs, charges comprises.",
    "Quel quartier préférez-vous : Kimironko, Remera ou Kacyiru ?",
    "J'ai transmis votre demande ; vous aurez une réponse demain.",
    "Habari! Nyumba ina vyumba 2, bei ni 250,000 RWF kwa mwezi.",
    "Ziara ni tarehe 12/12/2025 saa 10:30 asubuhi.",
    "Bajeti yako sasa ni 250,000 RWF.",
    "Je, unapendelea wilaya gani? Asante sana.",
    "Safari ya moto ni 1,500 RWF, teksi ni 6,000 RWF.",
    "OK: [by sms, Sun 22 Nov 20:05] Change budget to 250k",
    "OK: [by whatsapp at 2026-11-22T20:05] hello there",
};

static struct guard_rules
rules_of(void)
{
    return (struct guard_rules){ .instructions = INSTRUCTIONS,
                                 .public_url = "https://Api.EasyMO.rw/v1",
                                 .allowed_links = "[\"gov.rw\", \"https://Irembo.example/\"]",
                                 .allowed_numbers = "[\"+250 788 000 111\", \"3939\"]",
                                 .own_number = "+250788111222",
                                 .service_numbers = { "0788000222", "EasyMO" } };
}

static void
test_harmless_words_pass(void **state)
{
    struct arena *a = arena_new();
    struct guard_rules rules = rules_of();
    int bad = 0;

    (void)state;
    assert_true(COUNT_OF(harmless) >= 60);
    for (size_t i = 0; i < COUNT_OF(harmless); i++) {
        struct guard_result got = guard_text(a, harmless[i], &rules);

        if (got.text == NULL || strcmp(got.text, harmless[i]) != 0 || *got.reason != '\0') {
            bad++;
            print_error("\"%s\": %s \"%s\"\n", harmless[i], got.reason,
                        got.text != NULL ? got.text : "(refused)");
        }
    }
    assert_int_equal(bad, 0);
    arena_free(&a);
}

static void
test_allowed_links_and_numbers_stay(void **state)
{
    static const char *const texts[] = {
        "See https://api.easymo.rw/h/1234567890123 for the picture.",
        "See api.easymo.rw for the picture.",
        "See https://www.gov.rw/a?b=c#d for the rules.",
        "See GOV.RW for the rules.",
        "See irembo.example/x for the rules.",
        "We answer on +250788111222, your number.",
        "We answer on 0788 111 222, your number.",
        "We answer on 0788111222 2 times a day.",
        "Call 0788 000 111 or 250788000111.",
        "Call +250 (0)788 000 222.",
        "Write to 3939 at any time.",
    };
    struct arena *a = arena_new();
    struct guard_rules rules = rules_of();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct guard_result got = guard_text(a, texts[i], &rules);

        if (got.text == NULL)
            fail_msg("\"%s\": %s", texts[i], got.reason);
        assert_string_equal(got.text, texts[i]);
    }
    arena_free(&a);
}

static void
test_a_foreign_number_next_to_an_allowed_one_goes(void **state)
{
    struct arena *a = arena_new();
    struct guard_rules rules = rules_of();
    struct guard_result got =
        guard_text(a, "Numbers: 0788000111/0788999888 or 0788000111 0788999888 here.", &rules);

    (void)state;
    assert_string_equal(got.reason, "numbers");
    assert_string_equal(got.text, "Numbers: 0788000111/ or 0788000111 here.");
    arena_free(&a);
}

static void
test_what_remains_is_tidy(void **state)
{
    static const struct {
        const char *text;
        const char *left;
    } rows[] = {
        { "The house is free (https://evil.example).", "The house is free." },
        { "The house is free, see https://evil.example.", "The house is free, see." },
        { "First line here\nhttps://evil.example\nlast line here",
          "First line here\nlast line here" },
        { "Two offers for you:\n1. Kimironko\n2. https://evil.example\n3. Remera",
          "Two offers for you:\n1. Kimironko\n3. Remera" },
        { "The owner: 0788999888, free at noon", "The owner, free at noon" },
    };
    struct arena *a = arena_new();
    struct guard_rules rules = rules_of();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_string_equal(guard_text(a, rows[i].text, &rules).text, rows[i].left);
    arena_free(&a);
}

static void
test_no_rules_allow_nothing(void **state)
{
    struct arena *a = arena_new();
    struct guard_rules rules = { 0 };

    (void)state;
    assert_string_equal(guard_text(a, "See easymo.rw or call 0788111222 now.", &rules).text,
                        "See or call now.");
    assert_null(guard_text(a, NULL, &rules).text);
    rules.allowed_links = "not json";
    rules.allowed_numbers = "{\"a\": 1}";
    assert_string_equal(guard_text(a, "See easymo.rw or call 0788111222 now.", &rules).text,
                        "See or call now.");
    arena_free(&a);
}

static void
test_long_words_are_capped(void **state)
{
    struct arena *a = arena_new();
    struct guard_rules rules = rules_of();
    char *text = arena_alloc(a, 100001);
    struct guard_result got;

    (void)state;
    for (size_t i = 0; i < 100000; i++)
        text[i] = i % 7 == 6 ? ' ' : 'a';
    got = guard_text(a, text, &rules);
    assert_true(strlen(got.text) <= GUARD_MAX && strlen(got.text) > GUARD_MAX - 20);
    assert_string_equal(got.text + strlen(got.text) - 4, "a...");
    arena_free(&a);
}

/* Whatever pieces meet: there is a result, it is not longer, and a refusal has its reason. */
static void
test_random_pieces(void **state)
{
    static const char *const pieces[] = {
        "0",
        "7",
        "88",
        "+250",
        "999",
        " ",
        " ",
        "-",
        "(",
        ")",
        ".",
        ",",
        "\n",
        "evil",
        ".com",
        "http",
        "://",
        "www.",
        "@",
        "/x",
        "RWF",
        "o",
        "[.]",
        " dot ",
        "zero",
        "seven",
        "\xF0\x9F\x99\x8F",
        "\xC3\xA9",
        "*182*",
        "_",
        "{\"",
        "12/12/2025",
        "10:30",
        "\xE2\x80\x8B",
        "\xEF\xBC\x90",
        "rent or sale ",
        "'",
    };
    struct guard_rules rules = rules_of();
    uint32_t seed = 20251207;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct arena *a = arena_new();
        const char *text = "";
        struct guard_result once;
        struct guard_result twice;

        for (int i = 0; i < 30; i++) {
            seed = seed * 1664525u + 1013904223u;
            text = arena_printf(a, "%s%s", text, pieces[(seed >> 8) % COUNT_OF(pieces)]);
        }
        once = guard_text(a, text, &rules);
        if (once.text != NULL) {
            expect_true(text, strlen(once.text) <= strlen(text));
            twice = guard_text(a, once.text, &rules);
            expect_true(text, twice.text == NULL || strlen(twice.text) <= strlen(once.text));
        } else {
            expect_true(text, *once.reason != '\0');
        }
        arena_free(&a);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_harmless_words_pass),
        cmocka_unit_test(test_allowed_links_and_numbers_stay),
        cmocka_unit_test(test_a_foreign_number_next_to_an_allowed_one_goes),
        cmocka_unit_test(test_what_remains_is_tidy),
        cmocka_unit_test(test_no_rules_allow_nothing),
        cmocka_unit_test(test_long_words_are_capped),
        cmocka_unit_test(test_random_pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
