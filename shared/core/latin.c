/*
 * latin - tables of accented letters. They are written as the letters themselves, so that a reader
 * can check them against any chart.
 */
#include "core/latin.h"

#include <string.h>

#include "base/utf8.h"

/* One base letter per code point; '.' where there is none (signs, and letters that stand for two).
 */
static const char latin_1[] = "AAAAAA.CEEEEIIII" /* U+00C0 */
                              "DNOOOOO.OUUUUY.."
                              "aaaaaa.ceeeeiiii"
                              "dnooooo.ouuuuy.y";

static const char extended_a[] = "AaAaAaCcCcCcCcDd" /* U+0100 */
                                 "DdEeEeEeEeEeGgGg"
                                 "GgGgHhHhIiIiIiIi"
                                 "Ii..JjKkkLlLlLlL"
                                 "lLlNnNnNn.NnOoOo"
                                 "Oo..RrRrRrSsSsSs"
                                 "SsTtTtTtUuUuUuUu"
                                 "UuUuWwYyYZzZzZzs";

/* Pairs of letter and base letter: pinyin, Romanian, and what African orthographies use. */
static const char extended_b[] =
    "ƁBƆOƉDƊDƏEƐEƑFƒfƓGƔGƙkƝNƠOơoƯUưuƳYƴyǍAǎaǏIǐiǑOǒoǓUǔuǕUǖuǗUǘuǙUǚuǛUǜu"
    "ǦGǧgǨKǩkǪOǫoǴGǵgǸNǹnȘSșsȚTțtȞHȟhȦAȧaȨEȩeȮOȯoȲYȳyɓbɔoɖdɗdəeɛeɣgɲn";

struct composition {
    uint32_t mark;
    const char *pairs; /* base letter, composed letter, ... */
};

static const struct composition compositions[] = {
    { 0x0300, "AÀEÈIÌNǸOÒUÙaàeèiìnǹoòuù" },
    { 0x0301, "AÁCĆEÉGǴIÍLĹNŃOÓRŔSŚUÚYÝZŹaácćeégǵiílĺnńoórŕsśuúyýzź" },
    { 0x0302, "AÂCĈEÊGĜHĤIÎJĴOÔSŜUÛWŴYŶaâcĉeêgĝhĥiîjĵoôsŝuûwŵyŷ" },
    { 0x0303, "AÃIĨNÑOÕUŨaãiĩnñoõuũ" },
    { 0x0304, "AĀEĒIĪOŌUŪYȲaāeēiīoōuūyȳ" },
    { 0x0306, "AĂEĔGĞIĬOŎUŬaăeĕgğiĭoŏuŭ" },
    { 0x0307, "AȦCĊEĖGĠIİOȮZŻaȧcċeėgġoȯzż" },
    { 0x0308, "AÄEËIÏOÖUÜYŸaäeëiïoöuüyÿ" },
    { 0x030A, "AÅUŮaåuů" },
    { 0x030B, "OŐUŰoőuű" },
    { 0x030C, "AǍCČDĎEĚGǦHȞIǏKǨLĽNŇOǑRŘSŠTŤUǓZŽaǎcčdďeěgǧhȟiǐkǩlľnňoǒrřsštťuǔzž" },
    { 0x0327, "CÇEȨGĢKĶLĻNŅRŖSŞTŢcçeȩgģkķlļnņrŗsştţ" },
    { 0x0328, "AĄEĘIĮOǪUŲaąeęiįoǫuų" },
};

/* What follows 'first' in a list of pairs; 0 when it does not occur. */
static uint32_t
pair_find(const char *pairs, uint32_t first)
{
    const char *end = pairs + strlen(pairs);
    for (const char *p = pairs; p < end;) {
        uint32_t found = utf8_next(&p, end);
        uint32_t second = utf8_next(&p, end);
        if (found == first)
            return second;
    }
    return 0;
}

char
latin_base(uint32_t code)
{
    char base = '.';
    if ((code >= 'A' && code <= 'Z') || (code >= 'a' && code <= 'z'))
        return (char)code;
    if (code >= 0xC0 && code <= 0xFF)
        base = latin_1[code - 0xC0];
    else if (code >= 0x100 && code <= 0x17F)
        base = extended_a[code - 0x100];
    else if (code >= 0x180 && code <= 0x2AF)
        return (char)pair_find(extended_b, code);
    if (base == '.')
        return '\0';
    return base;
}

uint32_t
latin_compose(uint32_t base, uint32_t mark)
{
    for (size_t i = 0; i < COUNT_OF(compositions); i++) {
        if (compositions[i].mark == mark)
            return pair_find(compositions[i].pairs, base);
    }
    return 0;
}

bool
latin_is_mark(uint32_t code)
{
    return code >= 0x300 && code <= 0x36F;
}
