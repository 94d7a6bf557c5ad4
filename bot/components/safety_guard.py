"""Symptoms and distress that somebody reports in plain words: these are never missed or outvoted."""

from __future__ import annotations

import re
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.components.sentence_encoder import wording

_APOSTROPHES = re.compile("[’‘`]")
RED_FLAG = "red_flag"  # message property: `self_harm`, `emergency` or `ask_medical`


def _any(*expressions: str) -> re.Pattern[str]:
    """One of some expressions, in lower case: ignoring case takes three times as long."""
    return re.compile("|".join(expressions))


_SELF_HARM = _any(
    r"\bsuicid(?:e|al)\b(?! squad)|\bself[ -]?harm|\bkms\b|\bkill(?:ing)? (?:myself|me self)\b",
    r"\bend(?:ing)? (?:my life|it all)\b|\btak(?:e|ing) my (?:own )?life\b",
    r"\b(?:thinking (?:of|about)|considering|want to|going to|wanna) end(?:ing)? (?:it|everything)\W*$",
    r"\bhurt(?:ing)? myself\b(?! (?:on|with|squeez|pick|pop))",
    r"\bcutting (?:myself|again)\b|\bcut myself\b(?! (?:shaving|while|when|with|on|by|doing))",
    r"\b(?:want|wish|going)\b.{0,12}\bto die\b(?! for)|\bwanna die\b(?! for)",
    r"\b(?:better off|rather be|wanna be|want to be) dead\b",
    r"\b(?:wish|if) (?:that )?i (?:was|were|am) (?:dead|not alive)\b",
    r"\b(?:don'?t|not|never|cbf|can'?t be bothered)\b.{0,20}"
    r"\b(?:living|being alive|be alive|be here any ?more|to live|live any ?more)\b(?! with| in| near| at)",
    r"\b(?:tired of|sick of|enough of|over) (?:living|being alive|life)\b(?! with)",
    r"\blife(?: i|'?)s ?n[o']t worth\b",
    r"\bno (?:point|reason) (?:in |to )?(?:living|live|going on)\b",
    r"\b(?:nobody|no one|noone) (?:would|will) (?:miss me|care if i)\b",
    r"\boverdos(?:e|ed|ing)\b(?! (?:on|of) (?:vitamin|retinol|sunscreen|omega|fish|skin))",
    r"\bdisappear forever\b|\b(?:never|not) (?:want to )?wak(?:e|ing) up(?: again)?\W*$",
    r"\b(?:can'?t|cannot) go on(?: like this)?(?: any ?more)?\W*$",
)
_EMERGENCY = _any(
    r"\banaphyla|\b(?:can'?t|cannot|trouble|hard to|difficult(?:y|ies)?|struggl(?:e|ing) to|unable to"
    r"|short of) (?:to )?(?:breath\w*|get (?:any )?(?:air|a breath)|swallow|see (?:out|properly|anything"
    r"|at all)|(?:be )?breathing)\b",
    r"\bbreathing (?:difficult\w*|trouble|problems?)\b",
    r"\b(?:throat|tongue|lips?|airways?)\b.{0,25}(?<!be )\b(?:swell\w*|swollen|swole|closing|tightening)\b",
    r"\b(?:swelling|swollen)\b.{0,15}\b(?:throat|tongue|lips?|airways?)\b",
    r"\b(?:collapsed|passed out|unconscious|blacked out|stopped breathing)\b"
    r"(?!.{0,12}\b(?:last (?:time|blood|week|year)|blood test|years? ago|when i (?:was|had)|as a kid)\b)",
    r"\b(?:lost|losing|gone blind|went blind|suddenly can'?t)\b.{0,15}"
    r"\b(?:vision|sight|see|in (?:one|my|that) eye)\b",
    r"\b(?:vision|eyesight|sight) (?:has |is |went |gone |going |suddenly )*(?:blurr\w+|gone|black|dark)\b",
    r"\bsevere (?:allergic )?reaction\b|\ballergic reaction\b.{0,30}\b(?:now|help|bad|breath\w*|worse)\b",
)
_FACE_SWELLS = _any(
    r"\b(?:face|eye(?:lid|s)?|cheeks?|mouth)\b.{0,25}(?<!be )\b(?:swell\w*|swollen|swole|closing"
    r"|puff(?:ed|ing) (?:right )?up|blown up|ballooned)\b"
    r".{0,30}(?:shut|up|closed|clos\w+|badly|huge|fast|after|can'?t|now|and)",
)
_MEDICAL = _any(
    r"\b(?:won'?t|hasn'?t|keeps?|still|is|started|been|it'?s|now|bit|heaps|just) (?:stop(?:ped)? )?"
    r"(?:bleeding|weeping|oozing|infected)\b"
    r"(?!.{0,12}\b(?:normal|much|expected|a lot)\b.{0,10}(?:after|with) )",
    r"\b(?:full of|yellow|green|leaking) pus\b|\bpus (?:is|coming|came|out|oozing)",
    r"\b(?:lump|bump|spot|one|it|thing|mole|milia|dot)s? (?:has |have |had |is |'s |just |suddenly |also )*"
    r"(?:changed|changing|doubled|gone (?:dark|black|purple|hard and red)"
    r"|turned (?:dark|black|purple|blue|red)|gotten bigger|got bigger|growing fast"
    r"|got infected|is infected|looks infected)\b",
    r"\b(?:i'?m|i am|she'?s|she is|my wife is|currently) (?:\w+ weeks? )?"
    r"(?:pregnant|breast ?feeding|nursing)\b",
    r"\bblood thinners?\b|\bwarfarin\b|\broaccutane\b|\bisotretinoin\b|\bchemo(?:therapy)?\b",
    r"\b(?:on|in|inside|under|edge of|rim of|along)"
    r" (?:my|me|the|his|her|your|an|that|actual|upper|lower|top|bottom|left|right|inner|actul| )*\s?"
    r"(?:eye ?lids?|lash ?line|water ?line|eye ?balls?|lash(?:es)?)\b",
    r"\b(?:on|in|under|inside) (?:my|her|his|their|both|the upper|the lower) lids?\b"
    r"|\b(?:do|treat|remove|extract) (?:my|her|his|the) (?:eye ?lids?|lash ?line|water ?line)\b",
    r"\b(?:i'?m|as|i am) (?:a )?diabetic\b|\bdiabetic here\b|\btype (?:1|2|one|two) diabet\w+",
    r"\bha?emophilia\w*",
    r"\bimmuno(?:suppress|compromis|deficien)\w*|\bblood clot\w*",
    r"\b(?:hot|sore|red|swollen|throbbing) and (?:weeping|oozing|throbbing|swollen|infected)\b",
    r"\b(?:i have|i'?ve got|i get|got|with my) (?:bad |severe |mild )?(?:rosacea|eczema|dermatitis|lupus)\b"
    r".{0,30}\b(?:immerse|moisturi[sz]er|serum|use|it|them|done|removed|extraction|cream|me)\b",
)
_ABOUT_THE_PROCEDURE = _any(
    r"\b(?:is there|will (?:it|there|they|i)|does it|do they|how much|much|any|would (?:it|i))\b.{0,20}"
    r"\b(?:bleed\w*|swell\w*|blood)\b",
    r"\b(?:will|would|does|do) (?:my|the|your) (?:face|eyes?|cheeks?|skin)\b.{0,12}\b(?:swell|puff)",
)


def red_flag(text: str) -> str | None:
    """`self_harm`, `emergency` or `ask_medical` when a text says so in plain words; None otherwise."""
    text = _APOSTROPHES.sub("'", text.lower())
    if _SELF_HARM.search(text):
        return "self_harm"
    about_the_procedure = _ABOUT_THE_PROCEDURE.search(text)
    if _EMERGENCY.search(text) or (_FACE_SWELLS.search(text) and not about_the_procedure):
        return "emergency"
    if _MEDICAL.search(text) and not about_the_procedure:
        return "ask_medical"
    return None


@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER], is_trainable=False)
class SafetyGuard(GraphComponent):
    """Sets `red_flag`. What is said less plainly is left to the classifier, which has examples of it."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The component's settings in config.yml: none."""
        return {}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SafetyGuard:
        """Creates a new component (see parent class for full docstring)."""
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        """Looks for red flags in incoming messages, as typed and with their spelling mended."""
        for message in messages:
            text, mended = message.get(TEXT) or "", wording(message)
            flag = red_flag(text) or (red_flag(mended) if mended != text.lower() else None)
            if flag:
                message.set(RED_FLAG, flag, add_to_output=True)
        return messages
