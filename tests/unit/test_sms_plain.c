/*
 * test_sms_plain - what becomes of a text on its way to an SMS: spelling, marks, emoji, blanks; and
 * that the languages people write here stay in GSM-7.
 */
#include "base/utf8.h"
#include "core/gsm7.h"
#include "core/latin.h"
#include "core/sms_text.h"
#include "unit/unit.h"

struct row {
    const char *name;
    const char *text;
    const char *want;
};

static void
expect_plain(const struct row *rows, size_t n)
{
    struct arena *a = arena_new();
    for (size_t i = 0; i < n; i++) {
        const char *got = sms_text_plain(a, rows[i].text);
        if (strcmp(got, rows[i].want) != 0)
            fail_msg("%s: got \"%s\", want \"%s\"", rows[i].name, got, rows[i].want);
    }
    arena_free(&a);
}

static void
test_sms_text_plain_spells(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "empty", "", "" },
        { "plain", "Muraho, amakuru?", "Muraho, amakuru?" },
        { "GSM-7 accents stay", "à é è ù ì ò ä ö ü ñ Ç É Ä Ö Ü Ñ Å å Ø ø Æ æ ß",
          "à é è ù ì ò ä ö ü ñ Ç É Ä Ö Ü Ñ Å å Ø ø Æ æ ß" },
        { "GSM-7 signs stay", "@ £ $ ¥ ¤ ¡ ¿ § _ Δ Φ Γ Λ Ω Π Ψ Σ Θ Ξ",
          "@ £ $ ¥ ¤ ¡ ¿ § _ Δ Φ Γ Λ Ω Π Ψ Σ Θ Ξ" },
        { "extension stays", "^ { } \\ [ ] | €", "^ { } \\ [ ] | €" },
        { "French small", "ç â ê î ô û ë ï œ ÿ", "c a e i o u e i oe y" },
        { "French capital", "À Â È Ê Ë Î Ï Ô Œ Ù Û Ÿ", "A A E E E I I O OE U U Y" },
        { "Spanish, Portuguese", "á ã í ó õ ú Á Ã Í Ó Õ Ú Ý ý", "a a i o o u A A I O O U Y y" },
        { "Icelandic", "Ð ð Þ þ", "D d Th th" },
        { "Latin Extended-A", "ā č ć š ž ł ı ő ű ğ ş ţ ř ě ů ń ę ą ż ź đ ħ ŋ ŉ ĳ ſ",
          "a c c s z l i o u g s t r e u n e a z z d h n 'n ij s" },
        { "Latin Extended-A, capital", "Ā Č Ć Š Ž Ł İ Ő Ű Ğ Ş Ţ Ř Ě Ů Ń Ę Ą Ż Ź Đ Ħ Ŋ Ĳ",
          "A C C S Z L I O U G S T R E U N E A Z Z D H N IJ" },
        { "Romanian, pinyin, tone marks", "ș ț Ș Ț ǎ ě ǐ ǒ ǔ", "s t S T a e i o u" },
        { "African letters", "ɓ ɗ ƙ ƴ ɛ ɔ", "b d k y e o" },
        { "names", "Łukasz Dvořák, Šárka Çelik, Müller, Nuñez, Zoë, Françoise",
          "Lukasz Dvorak, Sarka Çelik, Müller, Nuñez, Zoe, Francoise" },
        { "apostrophes", "n’umwana ‘yes’ ‚no‛ 5′ ʼa ´b `c", "n'umwana 'yes' 'no' 5' 'a 'b 'c" },
        { "quotes", "“a” „b‟ «c» 5″", "\"a\" \"b\" \"c\" 5\"" },
        { "guillemets with blanks", "Il dit « oui » et «\u00A0non\u00A0».",
          "Il dit \"oui\" et \"non\"." },
        { "single guillemets", "‹a›", "<a>" },
        { "dashes", "a‐b‑c‒d–e—f―g−h", "a-b-c-d-e-f-g-h" },
        { "ellipsis", "Hm…", "Hm..." },
        { "bullets", "• a\n‣ b\n▪ c\n● d\n· e\n➤ f", "- a\n- b\n- c\n- d\n- e\n- f" },
        { "arrows", "a → b ← c ⇒ d ➡️ e", "a -> b <- c -> d -> e" },
        { "comparison", "x ≤ 5, y ≥ 6, z ≠ 7, w ≈ 8", "x <= 5, y >= 6, z != 7, w ~ 8" },
        { "arithmetic", "2×3÷4 ±1", "2x3/4 +/-1" },
        { "fractions", "½ kg, ¼, ¾", "1/2 kg, 1/4, 3/4" },
        { "superscripts", "m² m³ 10⁵ H₂O ¹", "m2 m3 105 H2O 1" },
        { "signs", "© ® ™ № 5, 25°C, 1º, ª, µ, ¢, ¦", "(c) (R) TM No 5, 25oC, 1o, a, u, c, |" },
        { "ligatures", "ﬁn ﬂy oﬀ eﬃ eﬄ", "fin fly off effi effl" },
        { "full-width", "ＡＢＣ　１２３！｀", "ABC 123!'" },
        { "circled digits", "① a ② b ❸ c", "1 a 2 b 3 c" },
        { "broken bytes", "a\xFF\xC3", "a??" },
    };
    expect_plain(rows, COUNT_OF(rows));
}

static void
test_sms_text_plain_composes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "grave", "e\u0300", "è" },
        { "acute", "e\u0301t\x65\u0301", "été" },
        { "circumflex", "fe\u0302te", "fete" },
        { "tilde", "n\u0303 N\u0303", "ñ Ñ" },
        { "macron", "a\u0304", "a" },
        { "diaeresis", "u\u0308 O\u0308", "ü Ö" },
        { "ring", "a\u030A A\u030A", "å Å" },
        { "caron", "s\u030C", "s" },
        { "cedilla", "C\u0327 c\u0327", "Ç c" },
        { "two marks, first composes", "e\u0301\u0304", "é" },
        { "mark that composes with nothing", "b\u0301x", "bx" },
        { "mark alone", "\u0301x", "x" },
        { "mark without a letter", "a \u0302 b", "a b" },
        { "marks without a letter at both ends", "\u0302\u0301 b \u0301", "b" },
        { "mark behind an emoji", "a 👍\u0302 b", "a b" },
        { "joiner between letter and mark", "e\u034F\u0301", "é" },
        { "mark behind a composed letter", "é\u0302", "é" },
    };
    expect_plain(rows, COUNT_OF(rows));
}

static void
test_sms_text_plain_removes_marks(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "bold", "This is *important* now", "This is important now" },
        { "italic", "_Murakoze_", "Murakoze" },
        { "struck", "~5000~ 4000 RWF", "5000 4000 RWF" },
        { "code", "send `START` now", "send START now" },
        { "block", "```a b\nc```", "a b\nc" },
        { "block inside a word's edge", "x```y```z", "xyz" },
        { "Markdown bold", "**Next steps**", "Next steps" },
        { "Markdown bold, underscores", "__Next__", "Next" },
        { "Markdown, three", "***x***", "x" },
        { "several words", "*two words*, *three more words*.", "two words, three more words." },
        { "before punctuation", "Is it *true*? (*yes*)", "Is it true? (yes)" },
        { "behind a colon", "Name:*Aline*", "Name:Aline" },
        { "nested", "*_both_* and _*both*_", "both and both" },
        { "bold amount", "Pay *2000 RWF* today", "Pay 2000 RWF today" },
        { "accented edge", "*été* _à_", "été à" },
        { "between lines", "*a*\n*b*", "a\nb" },

        { "product", "2*3*4", "2*3*4" },
        { "product with blanks", "2 * 3 * 4", "2 * 3 * 4" },
        { "snake case", "call get_user_name now", "call get_user_name now" },
        { "leading underscore only", "_name", "_name" },
        { "single star", "5* hotel", "5* hotel" },
        { "star at the end", "terms*", "terms*" },
        { "not over a line's end", "*a\nb*", "*a\nb*" },
        { "blank behind the first", "a * b* c", "a * b* c" },
        { "blank before the second", "a *b * c", "a *b * c" },
        { "accented word inside", "é*b*é", "é*b*é" },
        { "opens inside a word", "a*b* c", "a*b* c" },
        { "closes inside a word", "*a*b c", "*a*b c" },
        { "different lengths inside a line", "**a* (b) c", "**a* (b) c" },
        { "different lengths", "**a*", "**a*" },
        { "four stars", "****a****", "****a****" },
        { "only stars", "***", "***" },
        { "about", "~5 km", "~5 km" },
        { "dialled", "Dial *182*8*1# now", "Dial *182*8*1# now" },
        { "dialled twice", "Dial *182# or *131# or *100#", "Dial *182# or *131# or *100#" },
        { "dialled, placeholder", "Dial *182*8*1*<code>#", "Dial *182*8*1*<code>#" },
        { "dialled, one group", "Dial *131*, then 1", "Dial *131*, then 1" },
        { "dialled and bold", "*Dial* *182*7*1# *now*", "Dial *182*7*1# now" },
        { "dialled with #", "*#06# and *#21#", "*#06# and *#21#" },
        { "URL", "https://x.rw/_a_/b?c=_d_&e=~f~", "https://x.rw/_a_/b?c=_d_&e=~f~" },
        { "mail", "a_b_@x.rw", "a_b_@x.rw" },
        { "single back-tick", "it`s", "it's" },

        { "list of stars", "* one\n* two *bold*\n  * three", "- one\n- two bold\n- three" },
        { "list of hyphens", "- one\n- two", "- one\n- two" },
    };
    expect_plain(rows, COUNT_OF(rows));
}

static void
test_sms_text_plain_drops(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "emoji at the end", "Murakoze 🙏", "Murakoze" },
        { "emoji in front", "👋 Muraho", "Muraho" },
        { "emoji between", "a 🎉 b", "a b" },
        { "emoji before a full stop", "Murakoze 🙏.", "Murakoze." },
        { "emoji before French punctuation", "Super 🎉 !", "Super !" },
        { "emoji without blanks", "a🎉b", "ab" },
        { "only emoji", "👍👍", "" },
        { "several", "a 👍 🎉 ✅ b", "a b" },
        { "family (joined)", "a 👨‍👩‍👧‍👦 b", "a b" },
        { "profession (joined)", "a 👩🏾‍⚕️ b", "a b" },
        { "skin tone", "a 👍🏿 b", "a b" },
        { "variation selector", "a ❤️ b ☀️ c", "a b c" },
        { "text style selector", "a ☎︎ b", "a b" },
        { "flag", "u 🇷🇼 Rwanda", "u Rwanda" },
        { "flag of tags", "a 🏴󠁧󠁢󠁥󠁮󠁧󠁿 b", "a b" },
        { "keycap keeps its digit", "Kanda 1️⃣ cyangwa 2️⃣", "Kanda 1 cyangwa 2" },
        { "keycap star", "Kanda *️⃣ nyuma", "Kanda * nyuma" },
        { "watch, star, square", "⌚ ⏰ ⭐ ⬛ x", "x" },
        { "check mark list", "✅ a\n✔️ b", "a\nb" },
        { "zero-width", "a\u200Bb\u200Dc\uFEFFd\u00ADe", "abcde" },
        { "direction marks", "a\u200Eb\u2066c", "abc" },
        { "control characters",
          "a\x01"
          "b\x1B"
          "c\x7F",
          "abc" },
    };
    expect_plain(rows, COUNT_OF(rows));
}

static void
test_sms_text_plain_folds_blanks(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "run", "a   b", "a b" },
        { "tab", "a\tb", "a b" },
        { "no-break, thin, narrow", "1\u00A0000\u2009F\u202Fx", "1 000 F x" },
        { "edges", "  a  ", "a" },
        { "before a line's end", "a  \n  b", "a\nb" },
        { "line ends", "a\r\nb\rc\u2028d", "a\nb\nc\nd" },
        { "one blank line", "a\n\nb", "a\n\nb" },
        { "many blank lines", "a\n \n\n\n b\n\n", "a\n\nb" },
        { "line of emoji", "a\n🎉\nb", "a\n\nb" },
        { "around a sign that is dropped", "a ¶ b", "a b" },
        { "only blanks", " \n\t ", "" },
    };
    expect_plain(rows, COUNT_OF(rows));
}

/* Another script costs UCS-2 whatever we do, so that nothing is gained by mangling the rest. */
static void
test_sms_text_plain_keeps_other_scripts(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "Cyrillic", "Здравствуйте, “Анна” – ça va?", "Здравствуйте, “Анна” – ça va?" },
        { "Chinese", "你好，李小龙 ê", "你好，李小龙 ê" },
        { "Arabic", "محمد", "محمد" },
        { "Amharic", "ሰላም", "ሰላም" },
        { "Greek, small letters", "Ωμέγα", "Ωμέγα" },
        { "marks and emoji still go", "*Анна*  👍 ’", "Анна ’" },
        { "composed", "Анна cafe\u0301", "Анна café" },
        { "Cyrillic accents stay", "\u0438\u0306", "\u0438\u0306" },
    };
    expect_plain(rows, COUNT_OF(rows));
}

struct sample {
    const char *name;
    const char *text;
    int segments;
};

/* As a language model writes them: typographic apostrophes, quotes, dashes, bullets, bold, emoji.
 */
static const struct sample samples[] = {
    { "Kinyarwanda",
      "*Incamake y’ikiganiro cyacu* 📞\n\nMwatubwiye ko mushaka kwishyura ubwishingizi bw’imodoka "
      "yanyu "
      "mbere y’uko ukwezi kurangira. Twumvikanye ko n’ubwo igiciro cyahindutse…\n\n"
      "• Mwohereze ifoto y’urupapuro rw’ubwishingizi\n• Mwishyure 45\u00A0000\u00A0RWF — kuri "
      "MoMo: *182*8*1#\n"
      "• Tuzabahamagara ku wa mbere saa tatu\n\nMurakoze cyane! 🙏🏾",
      3 },
    { "French",
      "*Résumé de votre appel* ✅\n\nVous avez demandé comment renouveler l’assurance de votre "
      "véhicule avant la "
      "fin du mois. Le conseiller a confirmé que le reçu du garage suffit, même s’il est daté de "
      "février…\n\n"
      "•\u00A0Envoyez la photo du reçu\n•\u00A0Payez 45\u202F000 RWF – dès aujourd’hui\n"
      "•\u00A0Être présent à l’agence « Kigali Centre » à 9\u00A0h, où Hélène vous "
      "accueillera\n\n"
      "À bientôt, et merci de votre confiance\u202F! Cœur, naïf, Noël, août, ÉTÉ, Ça, ÊTRE",
      3 },
    { "Swahili",
      "*Muhtasari wa simu yako* 📱\n\nUliuliza jinsi ya kulipia bima ya gari lako kabla ya mwisho "
      "wa mwezi. "
      "Tulikubaliana kwamba ng’ombe na shamba vitaandikwa baadaye…\n\n"
      "• Tuma picha ya “kadi ya bima”\n• Lipa RWF 45,000 – leo hii\n• Tutakupigia Jumatatu saa "
      "tatu asubuhi\n\n"
      "Asante sana! 🙏",
      2 },
    { "English",
      "*Your call with EasyMO* 📞\n\nYou asked how to renew your car’s insurance before the end of "
      "the month — "
      "it’s possible by phone.\n\n• Send a photo of the “old” policy\n• Pay RWF 45,000 (±5%)\n"
      "• We’ll call you on Monday → 9 a.m.\n\n_Reply to continue_ 👍🏾",
      2 },
};

static void
test_sms_text_plain_keeps_languages_in_gsm7(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        const char *plain = sms_text_plain(a, samples[i].text);
        struct sms_size size = sms_text_size(plain);
        if (size.encoding != SMS_GSM7 || size.segments != samples[i].segments)
            fail_msg("%s: %d units, %d segments: %s", samples[i].name, size.units, size.segments,
                     plain);
        if (sms_text_size(samples[i].text).segments <= size.segments)
            fail_msg("%s: not cheaper", samples[i].name);
        assert_string_equal(sms_text_plain(a, plain), plain);
    }
    arena_free(&a);
}

/* Whatever is spelled lies in the alphabet and within its buffer. */
static void
test_gsm7_spell_of_all_characters(void **state)
{
    (void)state;
    int spelled = 0;
    for (uint32_t code = 1; code <= 0x1FFFF; code++) {
        char out[GSM7_SPELLING_MAX + 1] = "";
        if (!gsm7_spell(code, out))
            continue;
        spelled++;
        struct sms_size size = sms_text_size(out);
        if (size.encoding != SMS_GSM7 || strlen(out) > GSM7_SPELLING_MAX)
            fail_msg("U+%04X: \"%s\"", (unsigned)code, out);
    }
    assert_true(spelled > 600);
}

static void
test_latin_base_letters(void **state)
{
    (void)state;
    static const struct {
        uint32_t code;
        char want;
    } rows[] = {
        { 'a', 'a' },    { 'Z', 'Z' },    { '1', '\0' },   { '@', '\0' },      { '[', '\0' },
        { 0xC0, 'A' },   { 0xD7, '\0' },  { 0xF7, '\0' },  { 0xFF, 'y' },      { 0x100, 'A' },
        { 0x152, '\0' }, { 0x17F, 's' },  { 0x180, '\0' }, { 0x219, 's' },     { 0x2AF, '\0' },
        { 0xBF, '\0' },  { 0x3B1, '\0' }, { 0x430, '\0' }, { 0x10FFFF, '\0' },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (latin_base(rows[i].code) != rows[i].want)
            fail_msg("U+%04X", (unsigned)rows[i].code);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sms_text_plain_spells),
        cmocka_unit_test(test_sms_text_plain_composes),
        cmocka_unit_test(test_sms_text_plain_removes_marks),
        cmocka_unit_test(test_sms_text_plain_drops),
        cmocka_unit_test(test_sms_text_plain_folds_blanks),
        cmocka_unit_test(test_sms_text_plain_keeps_other_scripts),
        cmocka_unit_test(test_sms_text_plain_keeps_languages_in_gsm7),
        cmocka_unit_test(test_gsm7_spell_of_all_characters),
        cmocka_unit_test(test_latin_base_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
