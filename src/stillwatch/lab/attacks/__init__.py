"""What each known removal of a mark costs the attacker, and what it leaves: for measuring.

In: texts, as token ids or plain, and what the attacker has: unmarked text, a thesaurus, a model, a
student before and after its training. Out: the changed texts, by seed, within a declared budget; or
the student with its inherited preferences taken out. docs/watermark-attacks.md says who did what.
"""

from stillwatch.lab.attacks.attack import Attack, Budget, TextAttack, TokenAttack, attacked
from stillwatch.lab.attacks.averaging import Averaged
from stillwatch.lab.attacks.bigrams import Bigrams
from stillwatch.lab.attacks.catalogue import CATALOGUE, Asked, Entry, attack_named
from stillwatch.lab.attacks.editing import EDITS, Edit, RandomEdits
from stillwatch.lab.attacks.files import Texts, read_texts, write_texts
from stillwatch.lab.attacks.mixing import Mixing
from stillwatch.lab.attacks.neutralising import Neutralised, cross_entropy
from stillwatch.lab.attacks.paraphrasing import ChatModel, Paraphrase, Rewriter
from stillwatch.lab.attacks.preferences import Preferences, Student
from stillwatch.lab.attacks.rewriting import Rewriting
from stillwatch.lab.attacks.synonyms import Synonyms
from stillwatch.lab.attacks.targeting import TargetedRewriting
from stillwatch.lab.attacks.thesaurus import read_thesaurus
from stillwatch.lab.attacks.truncating import PARTS, Chunks, Part, Truncation
from stillwatch.lab.attacks.unigrams import Unigrams
from stillwatch.lab.attacks.wording import OnWords, Wording

__all__ = [
    "CATALOGUE",
    "EDITS",
    "PARTS",
    "Asked",
    "Attack",
    "Averaged",
    "Bigrams",
    "Budget",
    "ChatModel",
    "Chunks",
    "Edit",
    "Entry",
    "Mixing",
    "Neutralised",
    "OnWords",
    "Paraphrase",
    "Part",
    "Preferences",
    "RandomEdits",
    "Rewriter",
    "Rewriting",
    "Student",
    "Synonyms",
    "TargetedRewriting",
    "TextAttack",
    "Texts",
    "TokenAttack",
    "Truncation",
    "Unigrams",
    "Wording",
    "attack_named",
    "attacked",
    "cross_entropy",
    "read_texts",
    "read_thesaurus",
    "write_texts",
]
