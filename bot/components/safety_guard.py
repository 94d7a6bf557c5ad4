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

RED_FLAG = "red_flag"  # message property: `self_harm`, `emergency` or `ask_medical`

_SELF_HARM = re.compile(
    r"\bsuicid|\bself[ -]?harm|\bkill(?:ing)? (?:myself|me self)\b|\bend(?:ing)? (?:my|it) (?:life|all)\b"
    r"|\btak(?:e|ing) my (?:own )?life\b"
    r"|\bhurt(?:ing)? myself\b(?! (?:on|with|squeez|pick|pop))|\bcutt?(?:ing)? (?:myself|again)\b|\b(?:want"
    r"|wanna|wish|going|rather|better off)\b.{0,12}\b(?:to die|be dead|was dead|i were dead|dead)\b"
    r"|\b(?:don'?t|dont|not|cbf|can'?t be (?:bothered|fucked)|tired of|sick of|enough of"
    r"|over)\b.{0,20}\b(?:living|being alive|be alive|be here any ?more|to live|life any ?more)\b"
    r"|\bno (?:point|reason) (?:in |to )?(?:living|live|going on)\b|\b(?:nobody|no one|noone) (?:would"
    r"|will) (?:miss|care if i)\b|\boverdos(?:e|ing) on\b"
    r"|\b(?:can'?t|cannot) go on(?: like this)?(?: any ?more)?\W*$",
    re.IGNORECASE,
)
_EMERGENCY = re.compile(
    r"\banaphyla|\b(?:can'?t|cannot|cant|trouble|hard to|difficult(?:y|ies)?|struggling to|struggle to"
    r"|unable to|short of) (?:to )?(?:breath\w*|get (?:any )?(?:air|a breath)|swallow|see (?:out|properly"
    r"|anything|at all)|(?:be )?breathing)\b"
    r"|\b(?:throat|tongue|lips?|face|airway|eye(?:lid|s)?|cheeks?|mouth)\b.{0,25}\b(?:swell\w*|swollen|swole"
    r"|swelled|closing|puff(?:ed|ing) (?:right )?up|blown up|ballooned)\b.{0,30}(?:shut|up|closed|clos\w+"
    r"|badly|huge|fast|after|can'?t|now|and)"
    r"|\b(?:swell\w*|swollen)\b.{0,15}\b(?:throat|tongue|lips?|airway)\b|\b(?:collapsed|passed out"
    r"|unconscious|blacked out|stopped breathing)\b"
    r"|\b(?:lost|losing|gone blind|went blind|suddenly can'?t)\b.{0,15}\b(?:vision|sight|see|in (?:one|my"
    r"|that) eye)\b|\bsevere (?:allergic )?reaction\b|\ballergic reaction\b.{0,30}\b(?:now|help|bad"
    r"|breath\w*|worse)\b",
    re.IGNORECASE,
)
_MEDICAL = re.compile(
    r"\b(?:won'?t|wont|hasn'?t|keeps?|still|hasnt|is|started|been|its|it's|now|bit|heaps"
    r"|just) (?:stop(?:ped)? )?(?:bleeding|weeping|oozing|infected)\b(?!.{0,12}\b(?:normal|much|expected"
    r"|a lot)\b.{0,10}(?:after|with) )"
    r"|\b(?:full of|yellow|green|leaking) pus\b|\bpus (?:is|coming|came|out|oozing)|\b(?:lump|bump|spot|one"
    r"|it|thing|mole|milia|dot)s? (?:has |have |had |is |'s |just |suddenly |also )*(?:changed|changing"
    r"|doubled|gone (?:dark|black|purple|hard and red)|turned (?:dark|black|purple|blue|red)|gotten bigger"
    r"|got bigger|growing fast|got infected|is infected|looks infected)\b"
    r"|\b(?:i'?m|i am|im|she'?s|she is|my wife is|currently) (?:\w+ weeks? )?(?:pregnant|breast ?feeding"
    r"|nursing)\b|\bblood thinners?\b|\bwarfarin\b|\broaccutane\b|\bisotretinoin\b|\bchemo(?:therapy)?\b"
    r"|\b(?:on|in|inside|under|edge of|rim of|along) (?:my|me|the|his|her|your|an|that|actual|upper|lower"
    r"|top|bottom|left|right|inner|actul| )*\s?(?:eye ?lids?|lash ?line|water ?line|eye ?balls?"
    r"|lash(?:es)?)\b"
    r"|\bdiabetic\b|\btype (?:1|2|one|two) diabet\w+|\bh(?:a)?emophilia\w*|\bimmuno\w+|\bblood clot\w*"
    r"|\b(?:hot|sore|red|swollen|throbbing) and (?:weeping|oozing|throbbing|swollen|infected)\b"
    r"|\b(?:i have|i'?ve got|i get|got|with my) (?:bad |severe |mild )?(?:rosacea|eczema|dermatitis|lupus)\b"
    r".{0,30}\b(?:immerse|moisturi[sz]er|serum|use|it|them|done|removed|extraction)\b",
    re.IGNORECASE,
)  # fmt: skip
_ABOUT_THE_PROCEDURE = re.compile(
    r"\b(?:is there|will (?:it|there|they|i)|does it|do they|how much|much|any|would (?:it"
    r"|i))\b.{0,20}\b(?:bleed\w*|swell\w*|blood)\b",
    re.IGNORECASE,
)


def red_flag(text: str) -> str | None:
    """`self_harm`, `emergency` or `ask_medical` when a text says so in plain words; None otherwise."""
    if _SELF_HARM.search(text):
        return "self_harm"
    if _EMERGENCY.search(text):
        return "emergency"
    if _MEDICAL.search(text) and not _ABOUT_THE_PROCEDURE.search(text):
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
            flag = red_flag(message.get(TEXT) or "") or red_flag(wording(message))
            if flag:
                message.set(RED_FLAG, flag, add_to_output=True)
        return messages
