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
        [LANG_RW] = "Twakiriye telefone yanyu. Musubize hano, dukomereze aho twari tugeze.",
        [LANG_EN] = "We received your call. Reply here and we will go on from there.",
        [LANG_FR] = "Votre appel nous est bien parvenu. Répondez ici et nous continuerons à partir de là.",
        [LANG_SW] = "Tumepokea simu yako. Jibu hapa nasi tutaendelea kutoka hapo.",
    },
};

const char *
phrase_get(enum phrase p, enum language l)
{
    return phrases[p][l];
}
