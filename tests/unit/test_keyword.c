/*
 * test_keyword - the words of consent, and the many messages that only look like them.
 */
#include "core/keyword.h"
#include "unit/unit.h"

struct row {
    const char *name;
    const char *text;
    enum keyword sms;
    enum keyword chat; /* WhatsApp and voice */
};

static const struct row rows[] = {
    { "stop", "STOP", KEYWORD_STOP, KEYWORD_STOP },
    { "stop all", "stopall", KEYWORD_STOP, KEYWORD_STOP },
    { "unsubscribe", "Unsubscribe", KEYWORD_STOP, KEYWORD_STOP },
    { "opt out", "OPTOUT", KEYWORD_STOP, KEYWORD_STOP },
    { "hagarika", "Hagarika", KEYWORD_STOP, KEYWORD_STOP },
    { "guhagarika", "guhagarika", KEYWORD_STOP, KEYWORD_STOP },
    { "arret", "ARRET", KEYWORD_STOP, KEYWORD_STOP },
    { "arreter", "ARRETER", KEYWORD_STOP, KEYWORD_STOP },
    { "desabonner", "desabonner", KEYWORD_STOP, KEYWORD_STOP },
    { "stopper", "stopper", KEYWORD_STOP, KEYWORD_STOP },
    { "acha", "ACHA", KEYWORD_STOP, KEYWORD_STOP },
    { "simamisha", "simamisha", KEYWORD_STOP, KEYWORD_STOP },
    { "sitisha", "SITISHA", KEYWORD_STOP, KEYWORD_STOP },

    { "end", "END", KEYWORD_STOP, KEYWORD_NONE },
    { "cancel", "Cancel", KEYWORD_STOP, KEYWORD_NONE },
    { "quit", "quit", KEYWORD_STOP, KEYWORD_NONE },
    { "siba", "SIBA", KEYWORD_STOP, KEYWORD_NONE },
    { "gusiba", "Gusiba", KEYWORD_STOP, KEYWORD_NONE },
    { "reka", "reka!", KEYWORD_STOP, KEYWORD_NONE },

    { "start", "Start", KEYWORD_START, KEYWORD_START },
    { "unstop", "UNSTOP", KEYWORD_START, KEYWORD_START },
    { "tangira", "Tangira", KEYWORD_START, KEYWORD_START },
    { "subukura", "SUBUKURA", KEYWORD_START, KEYWORD_START },
    { "reprendre", "reprendre", KEYWORD_START, KEYWORD_START },
    { "anza", "ANZA", KEYWORD_START, KEYWORD_START },

    { "help", "Help?", KEYWORD_HELP, KEYWORD_HELP },
    { "ubufasha", "ubufasha", KEYWORD_HELP, KEYWORD_HELP },
    { "aide", "AIDE", KEYWORD_HELP, KEYWORD_HELP },
    { "msaada", "Msaada", KEYWORD_HELP, KEYWORD_HELP },
    { "info", "INFO", KEYWORD_HELP, KEYWORD_HELP },

    { "new", "New", KEYWORD_NEW, KEYWORD_NEW },
    { "bishya", "Bishya!", KEYWORD_NEW, KEYWORD_NEW },
    { "bushya", "bushya", KEYWORD_NEW, KEYWORD_NEW },
    { "nouveau", "NOUVEAU", KEYWORD_NEW, KEYWORD_NEW },
    { "mpya", "mpya.", KEYWORD_NEW, KEYWORD_NEW },
    { "new in a sentence", "A new house", KEYWORD_NONE, KEYWORD_NONE },

    { "accents, composed", "ARRÊT", KEYWORD_STOP, KEYWORD_STOP },
    { "accents, small", "arrêter", KEYWORD_STOP, KEYWORD_STOP },
    { "accents, two letters", "désabonner", KEYWORD_STOP, KEYWORD_STOP },
    { "accents, capital", "DÉSABONNER.", KEYWORD_STOP, KEYWORD_STOP },
    { "accents, combining", "arre\u0302t", KEYWORD_STOP, KEYWORD_STOP },
    { "accents, combining at the end", "anza\u0301", KEYWORD_START, KEYWORD_START },
    { "mixed case", "sToP", KEYWORD_STOP, KEYWORD_STOP },
    { "dotless i of a Turkish keyboard", "\u0130NFO", KEYWORD_HELP, KEYWORD_HELP },
    { "blanks around", "  stop \t", KEYWORD_STOP, KEYWORD_STOP },
    { "line breaks around", "\r\nSTOP\r\n", KEYWORD_STOP, KEYWORD_STOP },
    { "no-break space behind", "stop\u00A0!", KEYWORD_STOP, KEYWORD_STOP },
    { "zero-width space behind", "stop\u200B", KEYWORD_STOP, KEYWORD_STOP },
    { "byte order mark in front", "\uFEFFSTOP", KEYWORD_STOP, KEYWORD_STOP },
    { "full stop", "Stop.", KEYWORD_STOP, KEYWORD_STOP },
    { "several marks", "STOP!!! ?", KEYWORD_STOP, KEYWORD_STOP },

    { "nothing", "", KEYWORD_NONE, KEYWORD_NONE },
    { "blanks", " \n ", KEYWORD_NONE, KEYWORD_NONE },
    { "marks only", "?!", KEYWORD_NONE, KEYWORD_NONE },
    { "emoji behind", "stop 🙏", KEYWORD_STOP, KEYWORD_STOP },
    { "emoji at once", "STOP🛑🛑", KEYWORD_STOP, KEYWORD_STOP },
    { "emoji with skin", "stop 🙏🏿!", KEYWORD_STOP, KEYWORD_STOP },
    { "emoji joined", "stop 👨‍👩‍👧", KEYWORD_STOP, KEYWORD_STOP },
    { "help with emoji", "help 🆘", KEYWORD_HELP, KEYWORD_HELP },
    { "dots", "Stop…", KEYWORD_STOP, KEYWORD_STOP },
    { "comma behind", "stop,", KEYWORD_STOP, KEYWORD_STOP },
    { "brackets behind", "stop :)", KEYWORD_STOP, KEYWORD_STOP },

    { "polite", "stop please", KEYWORD_STOP, KEYWORD_NONE },
    { "polite, comma", "Stop, please!", KEYWORD_STOP, KEYWORD_NONE },
    { "object", "Stop sending SMS", KEYWORD_STOP, KEYWORD_NONE },
    { "angry", "STOP BOTHERING ME", KEYWORD_STOP, KEYWORD_NONE },
    { "twice", "STOP STOP", KEYWORD_STOP, KEYWORD_NONE },
    { "Kinyarwanda", "Hagarika ubu butumwa", KEYWORD_STOP, KEYWORD_NONE },
    { "French", "arrêtez svp", KEYWORD_NONE, KEYWORD_NONE },
    { "French, word", "Arrêter les messages", KEYWORD_STOP, KEYWORD_NONE },
    { "French, polite", "Arrêt svp", KEYWORD_STOP, KEYWORD_NONE },
    { "Swahili", "Acha tafadhali", KEYWORD_STOP, KEYWORD_NONE },
    { "unsubscribe me", "unsubscribe me now", KEYWORD_STOP, KEYWORD_NONE },

    { "all", "STOP ALL", KEYWORD_STOP, KEYWORD_NONE },
    { "Kinyarwanda, polite", "STOP nyamuneka", KEYWORD_STOP, KEYWORD_NONE },
    { "two words", "Stop all messages.", KEYWORD_STOP, KEYWORD_NONE },
    { "in quotes", "\"STOP\"", KEYWORD_STOP, KEYWORD_STOP },
    { "in curly quotes", "\u201CSTOP\u201D", KEYWORD_STOP, KEYWORD_STOP },
    { "in guillemets", "\u00ABSTOP\u00BB", KEYWORD_STOP, KEYWORD_STOP },
    { "in guillemets with spaces", "\u00AB\u00A0Stop\u00A0\u00BB", KEYWORD_STOP, KEYWORD_STOP },
    { "in bold", "*STOP*", KEYWORD_STOP, KEYWORD_STOP },
    { "in brackets", "(stop)", KEYWORD_STOP, KEYWORD_STOP },
    { "in quotes, help", "'help'", KEYWORD_HELP, KEYWORD_HELP },
    { "in quotes, polite", "\"STOP\" please", KEYWORD_STOP, KEYWORD_NONE },
    { "our short code behind", "STOP 8080", KEYWORD_STOP, KEYWORD_NONE },
    { "... to it", "STOP TO 8080", KEYWORD_STOP, KEYWORD_NONE },
    { "... as our text says it", "\"STOP\" to 8080.", KEYWORD_STOP, KEYWORD_NONE },
    { "... in French", "Arr\u00EAt au 8080", KEYWORD_STOP, KEYWORD_NONE },
    { "... in Kinyarwanda", "Hagarika kuri 8080", KEYWORD_STOP, KEYWORD_NONE },
    { "... and polite", "stop please 8080", KEYWORD_STOP, KEYWORD_NONE },
    { "what our text says undoes it", "START to 8080", KEYWORD_START, KEYWORD_NONE },
    { "... shorter", "start 8080", KEYWORD_START, KEYWORD_NONE },
    { "... in Kinyarwanda", "TANGIRA kuri 8080.", KEYWORD_START, KEYWORD_NONE },
    { "... in French", "REPRENDRE au 8080", KEYWORD_START, KEYWORD_NONE },
    { "help to it", "HELP to 8080", KEYWORD_HELP, KEYWORD_NONE },
    { "new to it", "NEW to 8080", KEYWORD_NEW, KEYWORD_NONE },
    { "new with a figure", "new 2024", KEYWORD_NONE, KEYWORD_NONE },
    { "help with a place", "Help Remera 8080", KEYWORD_NONE, KEYWORD_NONE },
    { "an ordinary word to it", "END to 8080", KEYWORD_NONE, KEYWORD_NONE },

    { "a place, alone", "Stop Kimironko", KEYWORD_NONE, KEYWORD_NONE },
    { "a place, in capitals", "STOP REMERA", KEYWORD_NONE, KEYWORD_NONE },
    { "a place, in Kinyarwanda", "Stop ya Remera", KEYWORD_NONE, KEYWORD_NONE },
    { "a place to stop at, in Kinyarwanda", "Hagarika Kimironko", KEYWORD_NONE, KEYWORD_NONE },
    { "a place with a figure", "Stop Remera 8080", KEYWORD_NONE, KEYWORD_NONE },
    { "a place behind a code", "STOP 8080 Remera", KEYWORD_NONE, KEYWORD_NONE },
    { "a way to nowhere", "stop to", KEYWORD_NONE, KEYWORD_NONE },
    { "a time in figures", "stop 12:30", KEYWORD_NONE, KEYWORD_NONE },
    { "a telephone number", "stop 0788000001", KEYWORD_NONE, KEYWORD_NONE },
    { "two codes", "stop 8080 8081", KEYWORD_NONE, KEYWORD_NONE },
    { "a price", "new 500", KEYWORD_NONE, KEYWORD_NONE },
    { "another price", "End 2000", KEYWORD_NONE, KEYWORD_NONE },
    { "quotes only", "\"\"", KEYWORD_NONE, KEYWORD_NONE },
    { "a place", "stop at Nyabugogo", KEYWORD_NONE, KEYWORD_NONE },
    { "a time", "Stop by Friday", KEYWORD_NONE, KEYWORD_NONE },
    { "a place in the market", "stop at the market", KEYWORD_NONE, KEYWORD_NONE },
    { "four words", "stop sending me messages", KEYWORD_NONE, KEYWORD_NONE },
    { "a bus stop", "Arrêt Nyabugogo", KEYWORD_NONE, KEYWORD_NONE },
    { "a bus stop, French", "arrêt de bus", KEYWORD_NONE, KEYWORD_NONE },
    { "let me think", "Acha nifikirie", KEYWORD_NONE, KEYWORD_NONE },
    { "let us see", "reka turebe", KEYWORD_NONE, KEYWORD_NONE },
    { "a month", "end of month", KEYWORD_NONE, KEYWORD_NONE },
    { "a visit", "cancel my visit", KEYWORD_NONE, KEYWORD_NONE },
    { "start something", "start tomorrow", KEYWORD_NONE, KEYWORD_NONE },
    { "help with something", "help me please", KEYWORD_NONE, KEYWORD_NONE },
    { "a number", "stop 2", KEYWORD_NONE, KEYWORD_NONE },
    { "in a sentence", "Please stop", KEYWORD_NONE, KEYWORD_NONE },
    { "sentence that starts with it", "Stop at the next bus park", KEYWORD_NONE, KEYWORD_NONE },
    { "prefix of a word", "STO", KEYWORD_NONE, KEYWORD_NONE },
    { "longer word", "STOPS", KEYWORD_NONE, KEYWORD_NONE },
    { "word that starts with one", "startup", KEYWORD_NONE, KEYWORD_NONE },
    { "inner mark", "ST.OP", KEYWORD_NONE, KEYWORD_NONE },
    { "accent in front", "\u0301STOP", KEYWORD_NONE, KEYWORD_NONE },
    { "mark in front", "!STOP", KEYWORD_NONE, KEYWORD_NONE },
    { "with a digit", "STOP1", KEYWORD_NONE, KEYWORD_NONE },
    { "other script", "СТОП", KEYWORD_NONE, KEYWORD_NONE },
    { "Cyrillic letters that look the same", "ST\u041EP", KEYWORD_NONE, KEYWORD_NONE },
    { "emoji behind", "stop \u1F6D1", KEYWORD_NONE, KEYWORD_NONE },
    { "broken UTF-8", "stop\xFF", KEYWORD_NONE, KEYWORD_NONE },
    { "sixteen letters", "UNSUBSCRIBEUNSUB", KEYWORD_NONE, KEYWORD_NONE },
    { "long word", "STOPSTOPSTOPSTOPSTOPSTOPSTOPSTOP", KEYWORD_NONE, KEYWORD_NONE },
};

static void
expect_keyword(const struct row *row, enum channel channel, enum keyword want)
{
    const char *language;
    enum keyword got = keyword_find(row->text, channel, &language);
    if (got != want)
        fail_msg("%s: got \"%s\", want \"%s\"", row->name, keyword_text(got), keyword_text(want));
    if (got == KEYWORD_NONE)
        assert_string_equal(language, "");
}

static void
test_keyword_find(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        expect_keyword(&rows[i], CHANNEL_SMS, rows[i].sms);
        expect_keyword(&rows[i], CHANNEL_WHATSAPP, rows[i].chat);
        expect_keyword(&rows[i], CHANNEL_VOICE, rows[i].chat);
    }
}

static void
test_keyword_language(void **state)
{
    static const struct {
        const char *text;
        const char *want;
    } words[] = {
        { "STOP", "" },
        { "stop please", "" },
        { "Unsubscribe", "" },
        { "START", "" },
        { "HELP", "" },
        { "INFO", "" },
        { "NEW", "" },
        { "END", "" },
        { "stop at the market", "" },
        { "HAGARIKA", "rw" },
        { "Hagarika ubutumwa", "rw" },
        { "REKA", "rw" },
        { "tangira", "rw" },
        { "UBUFASHA", "rw" },
        { "bushya", "rw" },
        { "ARRETER", "fr" },
        { "Arr\u00EAter", "fr" },
        { "ARR\u00CAT svp", "fr" },
        { "d\u00E9sabonner", "fr" },
        { "reprendre", "fr" },
        { "aide", "fr" },
        { "nouveau", "fr" },
        { "ACHA", "sw" },
        { "acha tafadhali", "sw" },
        { "anza", "sw" },
        { "msaada?", "sw" },
        { "mpya", "sw" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        const char *language = NULL;

        (void)keyword_find(words[i].text, CHANNEL_SMS, &language);
        expect_text(words[i].text, language, words[i].want);
    }
}

static void
test_keyword_text(void **state)
{
    (void)state;
    assert_string_equal(keyword_text(KEYWORD_NONE), "");
    assert_string_equal(keyword_text(KEYWORD_STOP), "stop");
    assert_string_equal(keyword_text(KEYWORD_START), "start");
    assert_string_equal(keyword_text(KEYWORD_HELP), "help");
    assert_string_equal(keyword_text(KEYWORD_NEW), "new");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keyword_find),
        cmocka_unit_test(test_keyword_language),
        cmocka_unit_test(test_keyword_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
