/*
 * phrase - the sentences. Only characters of GSM-7 (French without c-cedilla and circumflexes,
 * straight apostrophes), at most 160 septets each, and nothing promised that the program does not
 * do. START and STOP stay English in every language: they are the words on the confirmation
 * everywhere, and keyword.c takes them.
 */
#include "core/phrase.h"

static const char *const phrases[PHRASE_COUNT][LANG_SW + 1] = {
    [PHRASE_FALLBACK] = {
        [LANG_RW] = "Twakiriye ubutumwa bwanyu, ariko umufasha wacu ntashobora gusubiza ubu. "
                    "Igisubizo kirabageraho hano vuba bishoboka.",
        [LANG_EN] = "We received your message, but our assistant cannot answer right now. "
                    "Your answer will follow here as soon as possible.",
        [LANG_FR] = "Votre message est bien arrivé, mais notre assistant ne peut pas répondre "
                    "maintenant. La réponse suivra ici dès que possible.",
        [LANG_SW] = "Tumepokea ujumbe wako, lakini msaidizi wetu hawezi kujibu sasa hivi. "
                    "Jibu litafuata hapa haraka iwezekanavyo.",
    },
    [PHRASE_STOPPED] = {
        [LANG_RW] = "EasyMO ntizongera kubandikira kuri uyu muyoboro. "
                    "Nimushaka ko twongera kubandikira, mwohereze START.",
        [LANG_EN] = "EasyMO will send you no more messages on this channel. "
                    "To receive them again, send START.",
        [LANG_FR] = "EasyMO ne vous enverra plus de messages sur ce canal. "
                    "Pour en recevoir à nouveau, envoyez START.",
        [LANG_SW] = "EasyMO haitakutumia tena ujumbe kwenye njia hii. "
                    "Ukitaka kupokea ujumbe tena, tuma START.",
    },
    [PHRASE_STARTED] = {
        [LANG_RW] = "Murakoze. EasyMO yongeye kubandikira kuri uyu muyoboro. "
                    "Igihe cyose mwashaka kubihagarika, mwohereze STOP.",
        [LANG_EN] = "Thank you. EasyMO will send you messages on this channel again. "
                    "To stop them at any time, send STOP.",
        [LANG_FR] = "Merci. EasyMO vous enverra de nouveau des messages sur ce canal. "
                    "Pour ne plus en recevoir, envoyez STOP.",
        [LANG_SW] = "Asante. EasyMO itakutumia tena ujumbe kwenye njia hii. "
                    "Ukitaka kuacha wakati wowote, tuma STOP.",
    },
    [PHRASE_HELP] = {
        [LANG_RW] = "EasyMO ni umufasha w'ikoranabuhanga. Mwandike hano ikibazo cyanyu. "
                    "Guhagarika ubutumwa bwacu kuri uyu muyoboro: mwohereze STOP.",
        [LANG_EN] = "EasyMO is an automatic assistant. Just write your question here. "
                    "To stop our messages on this channel, send STOP.",
        [LANG_FR] = "EasyMO est un assistant automatique. Écrivez simplement votre question ici. "
                    "Pour ne plus recevoir de messages sur ce canal, envoyez STOP.",
        [LANG_SW] = "EasyMO ni msaidizi wa kielektroniki. Andika swali lako hapa. "
                    "Kuacha kupokea ujumbe wetu kwenye njia hii, tuma STOP.",
    },
    [PHRASE_NO_TEXT] = {
        [LANG_RW] = "Mutwihanganire, hano dushobora gusoma inyandiko gusa. "
                    "Mutwandikire icyo mwifuza mu magambo.",
        [LANG_EN] = "Sorry, we can only read text here. Please write to us what you need.",
        [LANG_FR] = "Désolé, nous ne pouvons lire que du texte ici. "
                    "Merci de nous écrire ce qu'il vous faut.",
        [LANG_SW] = "Samahani, hapa tunaweza kusoma maandishi tu. "
                    "Tafadhali tuandikie unachohitaji.",
    },
    [PHRASE_SUMMARY_TITLE] = {
        [LANG_RW] = "Ikiganiro mwagiranye na EasyMO kuri telefone",
        [LANG_EN] = "Your call with EasyMO",
        [LANG_FR] = "Votre appel avec EasyMO",
        [LANG_SW] = "Simu yako na EasyMO",
    },
    [PHRASE_NEXT_STEPS] = {
        [LANG_RW] = "Ibikurikira",
        [LANG_EN] = "Next steps",
        [LANG_FR] = "Prochaines étapes",
        [LANG_SW] = "Hatua zinazofuata",
    },
    [PHRASE_REPLY_HINT] = {
        [LANG_RW] = "Musubize ubu butumwa kugira ngo dukomeze.",
        [LANG_EN] = "Reply to continue.",
        [LANG_FR] = "Répondez pour continuer.",
        [LANG_SW] = "Jibu ujumbe huu ili tuendelee.",
    },
    [PHRASE_REPLY_TO] = {
        [LANG_RW] = "Musubize kuri",
        [LANG_EN] = "Reply to",
        [LANG_FR] = "Répondez au",
        [LANG_SW] = "Jibu kwa",
    },
    [PHRASE_CALL_RECORDED] = {
        [LANG_RW] = "Twakiriye telefone yanyu.",
        [LANG_EN] = "We received your call.",
        [LANG_FR] = "Votre appel nous est bien parvenu.",
        [LANG_SW] = "Tumepokea simu yako.",
    },
    [PHRASE_MISSED_CALL] = {
        [LANG_RW] = "Mutwihanganire, ntitwashoboye kwitaba telefone yanyu.",
        [LANG_EN] = "Sorry, we missed your call.",
        [LANG_FR] = "Désolé, nous avons manqué votre appel.",
        [LANG_SW] = "Samahani, hatukuweza kupokea simu yako.",
    },
    [PHRASE_AFRESH] = {
        [LANG_RW] = "Murakoze. Dutangiye ikiganiro gishya. Mutwandikire icyo mwifuza.",
        [LANG_EN] = "Thank you. We begin a new conversation. Write to us what you need.",
        [LANG_FR] = "Merci. Nous ouvrons une nouvelle conversation. Écrivez-nous ce qu'il vous faut.",
        [LANG_SW] = "Asante. Tunaanza mazungumzo mapya. Tuandikie unachohitaji.",
    },
    [PHRASE_HANDED_OVER] = {
        [LANG_RW] = "Umufasha w'ikoranabuhanga ntazongera gusubiza hano mu gihe cy'isaha. "
                    "Ubutumwa bwanyu bwabitswe kugira ngo umukozi wacu abusome.",
        [LANG_EN] = "Our automatic assistant will not answer here for an hour. "
                    "Your messages are kept for our staff to read.",
        [LANG_FR] = "Notre assistant automatique ne répondra plus ici pendant une heure. "
                    "Vos messages sont gardés pour notre personnel.",
        [LANG_SW] = "Msaidizi wetu wa kielektroniki hatajibu hapa kwa saa moja. "
                    "Ujumbe wako umehifadhiwa ili mfanyakazi wetu ausome.",
    },
    [PHRASE_NO_VOICE] = {
        [LANG_RW] = "Mutwihanganire, hano ntidushobora kumva ubutumwa bw'amajwi. "
                    "Mutwandikire icyo mwifuza mu magambo.",
        [LANG_EN] = "Sorry, we cannot listen to voice messages here. Please write to us what you need.",
        [LANG_FR] = "Désolé, nous ne pouvons pas écouter les messages vocaux ici. "
                    "Merci de nous écrire ce qu'il vous faut.",
        [LANG_SW] = "Samahani, hapa hatuwezi kusikiliza ujumbe wa sauti. "
                    "Tafadhali tuandikie unachohitaji.",
    },
    [PHRASE_NO_PICTURE] = {
        [LANG_RW] = "Mutwihanganire, hano ntidushobora kureba amafoto cyangwa inyandiko mwohereje. "
                    "Mutwandikire icyo mwifuza mu magambo.",
        [LANG_EN] = "Sorry, we cannot look at pictures or files here. Please write to us what you need.",
        [LANG_FR] = "Désolé, nous ne pouvons pas voir les photos ni les fichiers ici. "
                    "Merci de nous écrire ce qu'il vous faut.",
        [LANG_SW] = "Samahani, hapa hatuwezi kuona picha wala faili. "
                    "Tafadhali tuandikie unachohitaji.",
    },
    [PHRASE_MORE] = {
        [LANG_RW] = "Ibindi: 1",
        [LANG_EN] = "1 for more",
        [LANG_FR] = "1 pour la suite",
        [LANG_SW] = "1 kwa zaidi",
    },
    [PHRASE_MORE_WORD] = {
        [LANG_RW] = "Ibikurikira: IBINDI",
        [LANG_EN] = "MORE for the rest",
        [LANG_FR] = "SUITE pour lire la suite",
        [LANG_SW] = "ZAIDI kusoma zaidi",
    },
    [PHRASE_MORE_TO] = {
        [LANG_RW] = "Ibindi: 1 kuri",
        [LANG_EN] = "For more: 1 to",
        [LANG_FR] = "Pour la suite: 1 au",
        [LANG_SW] = "Zaidi: 1 kwa",
    },
    [PHRASE_MORE_WORD_TO] = {
        [LANG_RW] = "Ibikurikira: IBINDI kuri",
        [LANG_EN] = "For the rest: MORE to",
        [LANG_FR] = "Pour la suite: SUITE au",
        [LANG_SW] = "Kusoma zaidi: ZAIDI kwa",
    },
    [PHRASE_TO] = {
        [LANG_RW] = "kuri",
        [LANG_EN] = "to",
        [LANG_FR] = "au",
        [LANG_SW] = "kwa",
    },
    [PHRASE_CHOOSE] = {
        [LANG_RW] = "Hitamo",
        [LANG_EN] = "Choose",
        [LANG_FR] = "Choisir",
        [LANG_SW] = "Chagua",
    },
};

const char *
phrase_get(enum phrase p, enum language l)
{
    return phrases[p][l];
}
