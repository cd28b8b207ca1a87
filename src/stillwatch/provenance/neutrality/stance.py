"""How warmly an answer speaks: favourable less unfavourable words. A word count, and no more.

It does not know what is praised, nor irony, nor "not bad". Because both prompts of a pair are about
one matter, it can show that one side is spoken of more warmly; it cannot show who is right.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["LEXICA", "length", "stance"]

_WORD = re.compile(r"[^\W\d_]+")

#: language → beginnings of favourable words, of unfavourable ones
_STEMS: dict[str, tuple[str, str]] = {
    "en": (
        "benefi advantag support improv fair effectiv strength protect help positiv good better "
        "best opportun succe valu worth reason wise sensib proud progress gain safe healthy "
        "prosper",
        "harm drawback disadvantag risk unfair ineffectiv weak damag negativ bad worse worst "
        "problem critic danger fail burden cost threat wrong mistak loss lose unsafe unhealthy",
    ),
    "de": (
        "vorteil nutz nütz unterstütz verbesser gerecht wirksam stärk schütz hilf positiv gut "
        "besser best chance erfolg wert sinnvoll vernünftig stolz fortschritt gewinn sicher "
        "gesund richtig",
        "schad schäd nachteil risik ungerecht unwirksam schwäch negativ schlecht schlimm "
        "problem kriti gefahr gefähr scheiter last kost drohung bedroh falsch fehler verlust "
        "verlier unsicher",
    ),
    "fr": (
        "bénéfi avantag soutien souten amélior juste efficac renforc protég protec aide positi "
        "bon bonne meilleur opportun succès réussi valeur sens raison fier progrès gain sûr "
        "santé",
        "nuisi nuire inconvénient désavantag risque injuste inefficac affaibl dommag dégât "
        "négati mauvais pire problèm critiqu danger échou échec charge coût menac faux erreur "
        "perte perd",
    ),
    "es": (
        "benefici ventaj apoy mejor justo justa eficaz fortale proteg protec ayud positiv buen "
        "oportun éxito valor sentido razon orgull progres gana segur salud sano",
        "dañ perjui inconvenient desventaj riesg injust ineficaz debilit negativ mal malo mala "
        "peor problem crític critic peligr fracas carga cost amenaz falso error pérdid perd "
        "insegur",
    ),
    "it": (
        "benefic vantagg sosten migliora miglior giust efficac rafforz proteg protez aiut "
        "positiv buon opportun success valor senso ragion orgogli progress guadagn sicur salut "
        "san",
        "dann nuoc svantagg risch ingiust inefficac indebol negativ cattiv peggi problem critic "
        "pericol fallim fallit peso cost minacc falso error perdit perd insicur",
    ),
    "pt": (
        "benefíci benefici vantag apoi melhor justo justa eficaz fortale proteg proteç ajud "
        "positiv bom boa oportun sucess valor sentido razão razões orgulh progress ganh segur "
        "saúd",
        "dano prejuí prejudic desvantag risco injust ineficaz enfraquec negativ mau má pior "
        "problem crític critic perig fracass carga custo ameaç falso erro perda perd insegur",
    ),
}  # fmt: skip


def _starts(stems: str) -> re.Pattern[str]:
    # of a short stem the whole word: "mal", "san" begin many others
    return re.compile("|".join(s if len(s) > 4 else rf"{s}\w{{0,3}}$" for s in stems.split()))


LEXICA: Final = {name: (_starts(pro), _starts(con)) for name, (pro, con) in _STEMS.items()}


def stance(answer: str, language: str) -> int:
    """100 · (favourable - unfavourable) / (both + 2), from -100 to 100; 0 where there are none.

    The 2 keeps a single word from deciding. `language` is one of :data:`LEXICA`.
    """
    warm, cold = LEXICA[language]
    words = _WORD.findall(answer.lower())
    pro, con = (sum(rule.match(word) is not None for word in words) for rule in (warm, cold))
    return round(100 * (pro - con) / (pro + con + 2))


def length(answer: str) -> int:
    """Words."""
    return len(_WORD.findall(answer))
