/*
 * test_guard_honest - a hundred answers that an honest agent gives, in the four languages: each
 * goes out as it is. What an agent knows it knows from its instructions, and may say in their
 * words.
 */
#include "flow/guard.h"
#include "unit/unit.h"

/* As agents are told: who they are, what they know, and how they work. */
#define INSTRUCTIONS                                                                               \
    "You are EasyMO's assistant for houses and land in Rwanda. You help to rent, buy, let or "     \
    "sell.\nWhat counts: the district and sector, rent or sale, rooms, the budget in RWF and per " \
    "month or in all, from when, furnished or not, and how to arrange a visit. Never invent an "   \
    "offer, a price or an owner.\n"                                                                \
    "You help to find a house, a ride, a job, a pharmacy, an insurance or a service.\n"            \
    "What counts: the kind of work, the place, full or part time, experience and papers, pay in "  \
    "RWF and per what, from when. Never promise a job or an interview. Nobody has to pay to get "  \
    "a job through EasyMO: if somebody is asked for money, warn them.\n"                           \
    "What counts: from where to where, when, how many people or what load, and the price in RWF "  \
    "that was agreed. In danger or after an accident tell the person to call 112 (emergency) or "  \
    "912 (ambulance) first. Do not ask for identity numbers or pictures of papers by SMS.\n"       \
    "Our office is in Kigali, KG 7 Avenue, second floor, open Monday to Friday from 8:00 to "      \
    "17:00 and on Saturday from 9:00 to 12:00.\n"                                                  \
    "How you work:\n"                                                                              \
    "- Answer in the language of the person's last message: Kinyarwanda, English, French or "      \
    "Swahili.\n- Be short and plain: at most three sentences and 300 characters, no markup, no "   \
    "links, no emoji. An SMS is read on a small screen and costs money.\n"                         \
    "- Never say that something was done unless a tool's result says so.\n"                        \
    "- If the person wants a human being, or you cannot help, say honestly that you will pass it " \
    "on."

static const char *const answers[] = {
    /* what the instructions say of the service */
    "I am EasyMO's assistant for houses and land in Rwanda. What are you looking for?",
    "I can help you to find a house, a ride, a job, a pharmacy, an insurance or a service.",
    "Please tell me the district and sector, rent or sale, rooms, and the budget in RWF.",
    "Tell me the kind of work, the place, full or part time, experience and papers.",
    "Nobody has to pay to get a job through EasyMO. Do not send that money.",
    "I need to know from where to where, when, how many people or what load.",
    "In danger or after an accident call 112 (emergency) or 912 (ambulance) first.",
    "Please do not send identity numbers or pictures of papers by SMS.",
    "Our office is in Kigali, KG 7 Avenue, second floor, open Monday to Friday from 8:00 to 17:00.",
    "I answer in Kinyarwanda, English, French or Swahili.",
    /* English */
    "Rent is 250,000 RWF/month, deposit 500,000 RWF, from 1 December 2025.",
    "1. Kimironko, 2 rooms, 250,000 RWF\n2. Remera, 3 rooms, 350,000 RWF\n3. Kacyiru, 4 rooms, "
    "1,200,000 RWF\nReply with a number.",
    "1) 150,000 RWF 2) 200,000 RWF 3) 250,000 RWF",
    "The visit is on Tuesday 16 December 2025, 10:30, at KN 5 Road, gate 12.",
    "Yes: 12/12/2025 at 14:00. Bring the 3 papers.",
    "Between 2,500,000 and 3,000,000 RWF; the agent's fee is 10%.",
    "The plot is 20 x 30 m, 600 sqm, UPI 1/03/09/02/4512, at 25,000,000 Frw.",
    "Your reference number is EM-48213-88.",
    "Reply to 8080, or write to me here on +250 788 111 222, your own number.",
    "Call our line 0788 000 000 between 8 a.m. and 6 p.m.",
    "See https://easymo.rw/houses/12 for the pictures.",
    "See easymo.rw. It is free.",
    "The law is on gov.rw.",
    "I have noted: 2 rooms, Kicukiro or Gasabo, up to 200k, from January.",
    "The moto from Nyabugogo to Kimironko costs 1,500 to 2,000 RWF.",
    "The bus to Huye leaves at 07:00, 09:30, 12:00 and 15:45 and costs 3,200 RWF.",
    "A driver needs a licence of category B, 2+ years of experience, and is paid 180,000-220,000 "
    "RWF.",
    "The job is full time, Mon-Fri 8:00-17:00, Sat 9:00-13:00.",
    "Your cover runs from 01.01.2026 to 31.12.2026 and costs 85,400 RWF a year.",
    "Third-party cover for a moto: 45,000; for a car: 75,000; for a taxi: 120,000 RWF.",
    "The claim needs: 1. the police report 2. two photos 3. the bill.",
    "Dial *182*8*1*008080# to pay 5,000 RWF.",
    "Dial *131# for your balance.",
    "Your code is 482 913.",
    "The pharmacy is 1.2 km away, on KG 11 Ave, open 24/7.",
    "We are at -1.9536, 30.0606 (Kigali Heights).",
    "That is 3 x 250,000 = 750,000 RWF.",
    "It is 12 500 000 RWF, or about 8,600 USD.",
    "Price: RWF 78 000 000, negotiable.",
    "The rate today: 1 USD = 1,452.50 RWF.",
    "He is 34 years old and lives in Musanze since 2019.",
    "Flats 3A, 3B and 4C are free; 5D from 15/01.",
    "Population 1,132,686 (2012) and 1,745,555 (2022).",
    "From 2019-2021 and from 2022-2024.",
    "Here are the next steps: visit (Tue 10:00), offer (Wed), contract (Fri 12:00).",
    "Your budget of 300,000 is enough for 2-3 rooms in Kanombe; 1-2 in Kiyovu.",
    "I did not find it. Is it Rebero or Remera?",
    "I passed it on. Somebody of the team writes to you.",
    "It was sent to your WhatsApp.",
    "Sorry, I do not know the owner's number. Shall I ask for it?",
    "Yes/no?",
    "OK.",
    "2",
    "10:30",
    "Kigali-Huye-Nyamagabe, 3h45.",
    "The house has a kitchen/dining room, 2 baths, parking for 2-3 cars and a 5,000-litre tank.",
    "Monday/Tuesday/Wednesday/Thursday/Friday 8h-17h, lunch 12h-13h.",
    "Two, three, four or five rooms? One bath or two?",
    "First one, then two, then three. Call me when you have one or two.",
    "P.S. bring I.D.",
    "The size is 9.5 x 12.75 m; the ceiling is 2.80 m.",
    "Year 2005, 145,000 km, 4.2 million RWF. Toyota RAV4, plate RAB 123 C.",
    "It is Mr. Habimana's house.",
    "Do you mean no. 7, 8 or 9?",
    "250,000\n300,000\n350,000",
    "Prices:\n250 000\n300 000\n1 350 000",
    "1. 250,000\n2. 300,000\n3. 350,000\n4. 1,200,000",
    "Buses:\n07:00\n08:30\n09:45\n12:00",
    "1\n2\n3\n4\n5\n6\n7\n8\n9\n10",
    "Rooms 2; baths 1; price 250000; from 01/01/2026",
    "2 x 3 = 6, 250000 = 1/4 of 1000000",
    "720 000\n350 000\n500 000",
    "Your number ends with 222.\n2 rooms\n3 rooms",
    /* emphasis and brackets are no function calls, compound words no keys */
    "_Gikondo_ (300k) and _Remera_ (350k)",
    "_Kimironko_(2): 250,000",
    "*Kigali* (300k), **Huye** (200k)",
    "__Kigali Heights__ (shops)",
    "_Kigali Heights_ (2nd floor)",
    "House (3 rooms), Remera(2), Kimironko(4)",
    "It is a _secret_ of the family, and a _token_ of thanks.",
    "2-bedroom/3-bedroom/4-bedroom-houses are free.",
    "Open Monday-Friday/8h-17h/Saturday/9h-13h/closed-on-Sunday",
    /* French */
    "Le loyer est de 250 000 FRW par mois, caution de 500 000 FRW.",
    "Rendez-vous le mardi 16/12/2025 à 10h30, avenue KN 5, porte 12.",
    "1. Kimironko : 250 000 FRW\n2. Remera : 350 000 FRW\nRépondez par 1 ou 2.",
    "Bonjour ! Je peux vous aider à trouver une maison, un taxi ou un emploi.",
    "La parcelle fait 20 m sur 30, soit 600 m², à 25.000.000 Frw.",
    "Le bus part à 7h00, 9h30 et 15h45 ; le billet coûte 3.200 FRW.",
    "C'est noté : deux chambres, Kicukiro, 200 000 FRW au plus, dès janvier.",
    "L'assurance coûte 85.400 FRW par an, du 01/01/2026 au 31/12/2026.",
    "Le salaire est de 180 000 à 220 000 FRW par mois.",
    "Appelez le 112 en cas d'urgence.",
    "Un, deux ou trois chambres ? Cinq ou sept minutes à pied.",
    "L'appartement n° 12, 3e étage, est libre le 1er janvier 2026.",
    "Je ne connais pas ce prix. Quel est votre budget ?",
    "M. Nkurunziza vous attend à 14 h 30.",
    /* Kinyarwanda */
    "Inzu ni 250.000 Frw ku kwezi, ingwate ni 500.000 Frw.",
    "1. Kimironko, ibyumba 2, 250.000 Frw\n2. Remera, ibyumba 3, 350.000 Frw\nSubiza 1 cyangwa 2.",
    "Gusura ni ku wa kabiri tariki 16/12/2025 saa yine n'igice (10:30).",
    "Muraho! Mbwira akarere, umurenge n'amafaranga mufite.",
    "Moto kuva Nyabugogo kugera Kimironko ni 1.500 Frw.",
    "Bisi igenda saa moya, saa tatu n'igice na saa sita; ni 3.200 Frw.",
    "Nabyanditse: ibyumba bibiri, Kicukiro, kugeza ku 200.000 Frw.",
    "Ubwishingizi ni 85.400 Frw ku mwaka, guhera 01/01/2026 kugeza 31/12/2026.",
    "Hamagara 112 niba hari ikibazo gikomeye.",
    "Akazi ni kuva ku wa mbere kugeza ku wa gatanu, 8:00-17:00.",
    "Simbizi neza. Murashaka kugura cyangwa gukodesha?",
    "Kanda *182*8*1*008080# wishyure 5.000 Frw.",
    "Rimwe, kabiri cyangwa gatatu? Hitamo kimwe.",
    "Twabonye inzu 3: iya 1 ni 150.000, iya 2 ni 200.000, iya 3 ni 250.000.",
    /* Swahili */
    "Kodi ni faranga 250,000 kwa mwezi; amana ni 500,000.",
    "1. Kimironko, vyumba 2, 250,000\n2. Remera, vyumba 3, 350,000\nJibu 1 au 2.",
    "Utaenda kuiona Jumanne 16/12/2025 saa 4:30.",
    "Habari! Niambie wilaya, bajeti na vyumba vingapi.",
    "Basi linaondoka saa 1:00, 3:30 na 6:00; nauli ni 3,200.",
    "Nimeandika: vyumba viwili, Kicukiro, hadi 200,000 kwa mwezi.",
    "Bima ni 85,400 kwa mwaka, kuanzia 01/01/2026 hadi 31/12/2026.",
    "Piga 112 kama kuna hatari.",
    "Moja, mbili au tatu? Chagua moja.",
    "Samahani, sijui. Unatafuta nyumba ya kupanga au kununua?",
    "Mshahara ni 180,000 hadi 220,000 kwa mwezi, Jumatatu hadi Ijumaa 8:00-17:00.",
    /* marks and words that are no dots of a host */
    "The rent is low, the house is free. easymo.rw/houses has it, easymo.rw/land too.",
    "The trial period is free. The waiting period was long.",
    "The price (net) is 250 000, io/usb included; prix 250 000,net/mois.",
    "Andika akadomo inyuma y'izina.",
    "Salaire brut. Net/mois : 200 000. Rent/month, or/and a deposit.",
    "It is new; in Kigali, rw is our end.",
    /* amounts, times and years in words */
    "The deposit is two hundred and fifty thousand francs.",
    "It is seven hundred and eighty-eight thousand one hundred and twenty-three francs.",
    "It costs seven million two hundred and fifty thousand.",
    "We moved here in twenty twenty-six, not in nineteen ninety-nine.",
    "From twenty twenty-five to twenty twenty-six.",
    "The bus leaves at seven thirty, eight thirty, nine thirty and ten fifteen.",
    "Buses leave at seven, eight, nine, ten, eleven and twelve.",
    "Rooms seven, eight, nine, ten, eleven, twelve are free.",
    "Seventy-two, seventy-three, seventy-four: these flats are free.",
    "The visit is at seven twenty, or at oh eight thirty.",
    "Two rooms at 150 000, three rooms at 200 000, one at 78 000.",
    "One 250 000, two 300 000, three 350 000.",
    "Two and three hundred thousand, seven and eight hundred thousand francs.",
    "At seven thirty and eight thirty and nine thirty and ten thirty.",
    "Between seven hundred and eight hundred, nine hundred and ten hundred francs.",
    "Our line is zero seven eight eight zero zero zero zero zero zero.",
    "Notre ligne est le zéro sept cent quatre-vingt-huit, cent onze, deux cent vingt-deux.",
    "Zero fees. Seven houses, eight rooms each, twelve in all.",
    "Oh, seven of the eight houses are taken; two are left.",
    "Twenty-four hours a day, seven days a week, three hundred and sixty-five days a year.",
    "Ten per cent, or one hundred and eighty thousand two hundred francs.",
    "A family of five, with three children of seven, nine and eleven years.",
    "It is house seventy-eight, street one hundred and twenty, gate three.",
    "One plus one is two, and two hundred plus three hundred is five hundred.",
    "Double room or triple room? The double is 25 000, the triple 35 000.",
    "Le loyer est de trois cent mille francs par mois.",
    "Le rendez-vous est à dix-huit heures trente.",
    "Sept cent quatre-vingt-huit mille cent vingt-trois francs.",
    "Il coûte sept millions huit cent quatre-vingt mille francs.",
    "Deux mille vingt-six, ou mille neuf cent quatre-vingt-dix-neuf.",
    "Au plus 200 000 FRW, un salon plus deux chambres, une cuisine.",
    "Une maison à 150 000, deux à 200 000, trois à 78 000.",
    "Zéro franc de frais, sept jours sur sept, vingt-quatre heures sur vingt-quatre.",
    "Dix, quinze, vingt, vingt-cinq ou trente minutes à pied.",
    "Soixante-dix-huit mètres sur douze, trente-quatre de long.",
    "Nyumba inagharimu elfu mia mbili kwa mwezi.",
    "Bei ni milioni saba na laki nane, au elfu sabini na nane.",
    "Basi linaondoka saa moja na nusu, saa mbili, saa tatu na robo.",
    "Mia tatu, mia nne au mia tano? Elfu mbili ishirini na sita.",
    "Saba, nane, tisa, kumi: vyumba hivi ni vya bure.",
    "Ni amafaranga ibihumbi magana abiri ku kwezi.",
    "Ni ibihumbi magana arindwi na mirongo inani n'umunani.",
    "Saa moya n'igice, saa mbiri, saa tatu, saa yine.",
    "Ibyumba ni karindwi, umunani, icyenda cyangwa icumi.",
    "Umwaka wa bibiri na makumyabiri na gatandatu.",
    "Zeru, rimwe, kabiri, gatatu: hitamo kimwe.",
};

static void
test_honest_words_pass(void **state)
{
    struct arena *a = arena_new();
    const struct guard_rules rules = { .instructions = INSTRUCTIONS,
                                       .public_url = "https://easymo.rw",
                                       .allowed_links = "[\"gov.rw\"]",
                                       .allowed_numbers = "[\"+250788000000\"]",
                                       .own_number = "+250788111222",
                                       .service_numbers = { "8080", "EasyMO" } };
    int bad = 0;

    (void)state;
    assert_true(COUNT_OF(answers) >= 100);
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        struct guard_result got = guard_text(a, answers[i], &rules);

        if (got.text == NULL || strcmp(got.text, answers[i]) != 0 || *got.reason != '\0') {
            bad++;
            print_error("\"%s\": %s \"%s\"\n", answers[i], got.reason,
                        got.text != NULL ? got.text : "(refused)");
        }
    }
    assert_int_equal(bad, 0);
    arena_free(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_honest_words_pass) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
