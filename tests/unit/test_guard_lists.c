/*
 * test_guard_lists - prices, times, dates, sizes and codes as people list them, in the four
 * languages: each goes out as it is, and never a part of it.
 */
#include "flow/guard.h"
#include "unit/unit.h"

static const char *const lists[] = {
    "The rent is 150 000 / 200 000 / 250 000 RWF a month.",
    "Rents: 150 000 / 200 000 / 250 000 RWF",
    "The bus leaves at 06.00, 07.30, 08.45.",
    "Buses: 06.00, 07.30, 08.45, 10.15 and 12.00 every day.",
    "Prices: 250000/300000/350000.",
    "Rents are 250000 / 300000 / 350000 for 2, 3 and 4 rooms.",
    "Between 250 000 - 300 000 RWF.",
    "250.000 - 300.000 - 350.000 Frw",
    "250,000/300,000/350,000 RWF",
    "It has 2-3 bedrooms and 1-2 baths.",
    "Free 01/12/2026 - 15/12/2026.",
    "Free 01/12/26 - 15/12/26.",
    "Visits are on 01/12, 05/12, 10/12 and 15/12.",
    "Visits: 07/12, 09/12, 14/12 at noon.",
    "Open 10:00-12:00 and 14:00-16:00.",
    "Hours: 08-12, 13-17, 18-22 every day.",
    "Choose 120 m² / 150 m² / 180 m².",
    "Plots of 1 200 m² / 1 500 m² / 2 000 m².",
    "An apartment 3+1 in Kiyovu.",
    "It costs 1 500 000 Frw.",
    "The pharmacy is open 24/7.",
    "From 2026-12-01 to 2026-12-31.",
    "12 000 000 + 30 000 000 RWF in two parts.",
    "150 000 RWF + 12 000 000 RWF + 20 000 000 RWF.",
    "The sum is 25 000 000 + 1 500 000 = 26 500 000.",
    "It is 150 000 · 200 000 · 250 000 RWF.",
    "Rent 150.000·200.000·250.000 Frw.",
    "The years 2024 2025 2026 were good.",
    "The years 2024/2025/2026 were good.",
    "Rents: 250 750 / 300 000 RWF.",
    "Choose: 250 700 - 300 500 Frw.",
    "Rents 720 000 / 850 000 RWF.",
    "Choose 780 000 / 950 000 / 1 200 000 Frw.",
    "It sells for 720 000 000.",
    "Igiciro ni 780.000.000 Frw.",
    "Igiciro ni 780.000.000.",
    "Bus 12: 07:00, 08:30, 09:45.",
    "Line 7: 07.00, 08.30, 09.45.",
    "Saturday 07.30-08.45, Sunday 09.00-10.15.",
    "Hours 07.30 - 12.00 / 13.30 - 17.45.",
    "The shifts are 06.00-14.00, 14.00-22.00, 22.00-06.00.",
    "Le bus part à 07.15, 08.15, 09.15 et 10.15.",
    "Le rendez-vous est le 07/12/26 10:30.",
    "La visite : 07.12.26, 10.30.",
    "Loyer : 150 000/200 000/250 000 FRW selon le quartier.",
    "Caution : 2 x 250 000 = 500 000 FRW.",
    "Ibiciro: 150.000/200.000/250.000 Frw ku kwezi.",
    "Inzu z'ibyumba 2/3/4: 150 000 / 200 000 / 250 000.",
    "Bisi zigenda saa 06.00/07.30/09.00.",
    "Amasaha: 08.00-12.00 na 13.00-17.00.",
    "Bei: 150,000 / 200,000 / 250,000 kwa mwezi.",
    "Nauli ni 1500/2000/2500 RWF.",
    "Nauli ni 1500 / 2000 / 2500.",
    "Moto fares: 1200 - 1500 - 1800 - 2000.",
    "Salaries: 80000-100000, 120000-150000 and 200000-250000.",
    "Salary 180000 - 220000 a month.",
    "Salary: 180000/220000/260000.",
    "Policy POL-2025-004512 runs to 31.12.2026.",
    "Your policy number is SON/2025/004512.",
    "Policy no. 2025/12/004512 is valid.",
    "Claim no. 1234-56 of 2026.",
    "Plate RAB 123 C or RAD 456 K.",
    "The car RAE 789 B, 2015, 120 000 km, 8 500 000 RWF.",
    "The moto RD 123 A is 2018, 45 000 km.",
    "KG 11 Ave 25, KN 3 Rd 12, KK 15 Rd.",
    "KG 7 Ave, gate 12, 2nd floor, flat 4B.",
    "Dial *182*8*1# or *182*7*1#.",
    "Dial *182*8*1*250000# to pay.",
    "Piga *131# au *182*8*1*1500#.",
    "Kanda *909# cyangwa *182*3*7#.",
    "It is 10% off, 15% VAT, 18% TVA.",
    "Ratio 60/40, 50/50 or 70/30.",
    "Rent 250,000 (2 rooms) / 300,000 (3 rooms) / 350,000 (4 rooms).",
    "1. 150 000 / 2. 200 000 / 3. 250 000",
    "2 rooms: 150 000, 3 rooms: 200 000, 4 rooms: 250 000.",
    "150 000, 200 000, 250 000 RWF",
    "150 000; 200 000; 250 000 RWF",
    "150 000 | 200 000 | 250 000 RWF",
    "150k/200k/250k",
    "1.5M / 2M / 2.5M",
    "The plot is 20x30, 25x40 or 30 × 50.",
    "The premium is 45 000 / 75 000 / 120 000 RWF for moto, car, taxi.",
    "The premium is 45650 / 75250 / 120450 RWF.",
    "Premiums: 45,650 - 75,250 - 120,450.",
    "Rates: 1 USD = 1 452.50, 1 EUR = 1 580.25.",
    "Bank rates 16.5/17.0/18.5 %.",
    "Rooms of 12/14/16 m².",
    "Age 18-35, 2-3 years of work, 6-8 hours.",
    "Distance 2.5 km, 3.2 km, 10.8 km.",
    "Population 1 132 686 in 2012, 1 745 555 in 2022.",
    "UPI 1/02/03/04/1234 and 1/03/09/02/4512.",
    "UPI 3/07/04/02/1288 is in Gisenyi.",
    "GPS -1.9536, 30.0606.",
    "Wi-Fi 24/24, 7/7.",
    "Ouvert 24h/24 et 7j/7.",
    "10.30-11.30 : visite ; 11.30-12.30 : contrat.",
    "2025-2026: 250 000, 2026-2027: 275 000 RWF.",
    "From 2025-12-07 08:00 to 2025-12-09 18:00.",
    "2026-12-01 10:30:00 is the time.",
    "Rooms 101, 102, 103, 201, 202 and 203.",
    "Rooms 101/102/103/201 are free.",
    "Houses no. 12, 14, 16, 18, 20, 22 and 24.",
    "Seats 01, 02, 03, 04 and 05 are free.",
    "Between 1,000,000-1,500,000-2,000,000 RWF.",
    "USD 200/250/300 a night.",
    "$120 / $150 / $180 a night",
    "From 100 to 1000000 RWF.",
    "1000000-1500000 RWF",
    "1000000 - 1500000",
    "1 000 000 - 1 500 000 - 2 000 000",
    "Nimero ya polisi: 112; 113; 912; 3511.",
    "The numbers are 112/113/912/3511.",
    "Emergency: 112, 912, 111 or 116.",
    "Code 482-913.",
    "Invoice 2026-0145, 2026-0146.",
    "Invoice 2026/0145 and 2026/0712.",
    "Room 2:250000, room 3:300000.",
    "2:150000 3:200000 4:250000",
    "0.5/0.75/1.25 ha",
    "0,5 - 0,75 - 1,25 ha",
    "The size is 12.50 x 10.75 x 3.20 m.",
    "Score 3:2, 1:0, 0:0.",
    "[1] 250 000 [2] 300 000 [3] 350 000",
    "The interest is 1.25% - 1.75% - 2.00%.",
    "250 000 RWF/300 000 RWF/350 000 RWF",
    "3 rooms/250 000/Remera; 4 rooms/350 000/Kacyiru",
    "Lat. -1.95, long. 30.06; alt. 1 567 m.",
    "He paid 50 000 on 05/01, 50 000 on 05/02, 100 000 on 05/03.",
    "50 000 (05/01), 50 000 (05/02), 100 000 (05/03)",
    "08.00 10.00 12.00",
    "06:00 07:30 08:45 10:00",
    "06:00/07:30/08:45",
    "06h00, 07h30, 08h45",
    "6h-8h, 10h-12h",
    "Dial *182*8*1*008080*5000# to pay 5,000 RWF.",
    "Kanda *182*8*1*072345*1500# wishyure.",
    "Kanda *182*8*1*072345*15000# wishyure.",
    "Inzu iri Kicukiro, ku muhanda KK 15 Rd, ibyumba 3, douche 2, 350 000/400 000 Frw.",
    "Le loyer : 250.000 / 300.000 / 350.000 (eau comprise).",
    "Ubwishingizi bwa moto: 45.000/60.000/75.000 ku mwaka.",
    "Mshahara: 150,000/180,000/200,000 kwa mwezi.",
    "Nyumba 3: 200 000; 250 000; 300 000.",
    "Kuva 07.00 kugeza 19.00, ku cyumweru 08.00-12.00.",
    "Tariki 01/12, 08/12, 15/12 na 22/12.",
    "Le 07-12, le 14-12 et le 21-12.",
    "Chambres de 12-14-16 m².",
    "Plot: 20x30m (600m²) - 12 000 000, 25x40m (1000m²) - 18 000 000.",
    "Total: 250 000 x 3 = 750 000 + 45 000 = 795 000.",
    "The car costs 8 500 000 - 9 000 000, the moto 1 600 000 - 1 850 000.",
    "Deposit 3 months: 3 x 250 000 = 750 000.",
    "TIN 102345678, plate RAF 123 D.",
    "P.O. Box 1234, Kigali; KG 624 St 12; KN 78 St 4.",
    "Premium 85 400/year = 7 117/month.",
    "From Nyabugogo 05:30, 06:00, 06:30, 07:00, 07:30, 08:00.",
    "Flight WB 464 at 07:25, 12:40, 23:55.",
    "1h30-2h00, 45-60 min, 12-15 km.",
    "Temperature 18/26, humidity 60/80.",
    "Price per m²: 25 000/30 000/45 000; plots 300/400/600 m².",
    ("Houses:\n1. Kimironko: 150 000 RWF (2 rooms)\n2. Remera: 200 000 / 250 000 RWF\n3. Kanombe: "
     "300.000 Frw"),
    "150 000\n200 000\n250 000",
    "250 000 - 300 000\n350 000 - 400 000",
    "Kimironko: 250000\nRemera: 300000\nKacyiru: 780000",
    "Mon: 07.00-12.00\nTue: 08.00-12.00\nWed: 07:30-12:30",
    "07.00\n07.30\n08.00",
    "07:00\n07:30\n08:00",
    "07/12\n08/12\n09/12",
    "01.12.2026\n02.12.2026",
    "*Price:* 250 000 RWF\n*Rooms:* 3\n*Area:* 120 m²",
    "- 2 rooms: 150 000\n- 3 rooms: 200 000\n- 4 rooms: 250 000",
    "| Kimironko | 2 | 150 000 |\n| Remera | 3 | 200 000 |",
    "2 | 150 000 | 60 m2\n3 | 200 000 | 80 m2",
    "Policy: RAB123C/2026/0045, premium 85,400",
    "Police n° 2026-078912 du 07/12/2026.",
    "File no. 0078/2026 of 12/11/2026.",
    "Invoice INV-078912345 is paid.",
    "At 7h30, 8h15 and 9h00; 7 km, 8 km.",
    "Engine 1800 cc, 2005, 145 000 km, 7 800 000 RWF.",
    "Toyota 2012 - 7 800 000; Rav4 2015 - 12 500 000; Vitz 2008 - 4 300 000.",
    "In 2025: 72 300 000; in 2026: 78 500 000.",
    "7 250 000 / 7 850 000 RWF",
    "72 000 000 / 78 000 000 RWF",
    "785 000 000 / 790 000 000 RWF",
    "785 000 000 - 790 000 000",
    "250 000 000 / 275 000 000",
    "250 000 000 - 250 700 000 RWF",
    "7 000 000, 8 500 000, 9 250 000 RWF",
    "780 000 RWF, 790 000 RWF",
    "Loyer 780 000, caution 1 560 000.",
    "Rent 780 000 x 12 = 9 360 000.",
    "The deposit is 780 000 (2 x 390 000).",
    "0,75 ha - 1,25 ha; 0.5 km / 0.8 km",
    "Rate: 0.25%/0.50%/0.75%.",
    "The tariff is 07-09h: 1500, 09-12h: 1200.",
    "Zone 1: 1 500, zone 2: 2 500, zone 3: 3 500.",
    "1=150000, 2=200000, 3=250000",
    "1: 150000\n2: 200000\n3: 250000",
    "1 - 150000\n2 - 200000\n3 - 250000",
    "1. 150000 2. 200000 3. 250000",
    "Twinjira saa 7.30 tugataha saa 17.00, amafaranga 780.000 ku kwezi.",
    "Umushahara: 150.000 - 180.000 - 220.000 Frw.",
    "Tarehe 07/12, 14/12, 21/12: saa 08:00.",
    "Bei ya viwanja: 20x30 - 7,800,000; 25x40 - 12,500,000.",
    "Rooms: 2+1, 3+1 or 4+2.",
    "Adresse : KG 784 St, n° 12, BP 1234 Kigali.",
    "House KK 724 St 45, Kicukiro.",
    "House 788, street 123, gate 45.",
    "Area 720/850/960 m².",
    "3 x 720 000 = 2 160 000",
    "Score: 780 - 900 - 1000 points",
    "07:30-08:15/08:30-09:15/09:30-10:15",
    "saa 1:30, 2:00, 2:30, 3:00, 3:30, 4:00",
    "From 08/12 10:00 to 09/12 18:00.",
    "From 08/12 at 10.00 to 09/12 at 18.00.",
    "Between 07/12 and 09/12, 250 000 RWF.",
    "The code is 078912.",
    "Account number 4003 2001 5566 77 at BK",
    "Your policy number 07-2026-0045 is valid.",
    "Meter 01234567890",
    "Your meter no. 37100234567 has 12 units left.",
    "Order #1002003004005 is on its way.",
    "Numéro de compte : 4003 2001 5566 77 (BK).",
    "Votre facture n° 2026001234567 est payée.",
    "Le compteur 01234567890 est coupé.",
    "Konti yanyu ni 4003 2001 5566 77 muri BK.",
    "Polisi nimero 102030405060 irangira mu Kuboza.",
    "Akaunti yako namba 4003 2001 5566 77.",
    "Her ID is 1 1990 8 0012345 6 78, as she said.",
    "She wrote 1 1990 8 0012345 6 78 on it.",
    "ID 1199080012345678 is hers.",
    "Indangamuntu: 1 1990 7 0012345 6 78.",
    "Rooms 7, 8, 9, 10, 11, 12 are free.",
    "Tanks of 5000l / 10000l / 15000L.",
    "Flats 12B, 13B, 14B, 15B; 2S1, 3B2 and 4B2.",
    "Plate RAB 123B, KG 12 St, Galaxy S24, i20, A5.",
    "Songs of the 1980s, 1990s and 2000s.",
    "The cable is 3x2.5, 12V, 10A, 1500W, 220-240V, 50Hz.",
    "7 . 8 . 9 . 10 . 11 . 12",
    "Score: 7 - 8, 7 - 9, 8 - 8, 9 - 1, 2 - 3.",
    "1. 2 rooms 2. 3 rooms 3. 1 - 2 baths",
    "Les chambres 7 8 9 10 11 12 sont libres.",
    "Your PIN: 4821; do not tell anybody.",
    "Policy POL-2026004512 or POL-078-912-345 is yours.",
    "Claim CLM/2026/07/004512, invoice INV-14155552671.",
};

static const struct guard_rules rules = { .public_url = "https://easymo.rw",
                                          .allowed_numbers = "[\"+250788000000\"]",
                                          .own_number = "+250788111222",
                                          .service_numbers = { "8080", "EasyMO" } };

/* Does the text go out as it is? */
static bool
passes(struct arena *a, const char *text)
{
    struct guard_result got = guard_text(a, text, &rules);
    bool same = got.text != NULL && strcmp(got.text, text) == 0 && *got.reason == '\0';

    if (!same)
        print_error("\"%s\": %s \"%s\"\n", text, got.reason,
                    got.text != NULL ? got.text : "(refused)");
    return same;
}

static void
test_lists_pass(void **state)
{
    int bad = 0;

    assert_true(COUNT_OF(lists) >= 60);
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        bad += !passes(*state, lists[i]);
    assert_int_equal(bad, 0);
}

static uint32_t seed = 20261201;

static int
pick(int n)
{
    seed = seed * 1664525u + 1013904223u;
    return (int)(seed >> 8) % n;
}

/* A price as 'mark' groups it: "" not at all. */
static const char *
price(struct arena *a, const char *mark)
{
    int thousands = 5 + pick(1900);

    if (thousands < 1000)
        return arena_printf(a, "%d%s%s", thousands, mark, pick(2) ? "000" : "500");
    return arena_printf(a, "%d%s%03d%s000", thousands / 1000, mark, thousands % 1000, mark);
}

/* Whatever the prices are and whatever stands between them. */
static void
test_any_prices_pass(void **state)
{
    static const char *const marks[] = { " ", ".", ",", "" };
    static const char *const between[] = { " / ", "/",   " - ",        "-",   ", ", "; ",
                                           " + ", " | ", " \xC2\xB7 ", " = ", " (", ": " };

    for (int round = 0; round < 2000; round++) {
        const char *mark = marks[pick(COUNT_OF(marks))];
        const char *gap = between[pick(COUNT_OF(between))];
        const char *text = arena_printf(*state, "It is %s", price(*state, mark));

        for (int n = 1 + pick(4); n > 0; n--)
            text = arena_printf(*state, "%s%s%s", text, gap, price(*state, mark));
        expect_true(text, passes(*state, arena_printf(*state, "%s for you.", text)));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_lists_pass),
        ARENA_TEST(test_any_prices_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
