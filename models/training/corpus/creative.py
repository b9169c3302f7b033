"""One sentence about a named thing, put together from a small grammar."""

import re
from random import Random

from .example import Example
from .phrasing import article, vary

FAMILY = "creative"

TOPICS = """cat dog dragon robot river mountain star forest castle ship king wizard garden storm moon bird wolf fox ghost
knight city desert island train piano book clock bridge candle mirror tree house door window horse lion tiger bear mouse
rabbit owl eagle whale shark fish turtle frog spider bee butterfly flower rose leaf stone rock cloud rainbow sunset
lake ocean beach wave volcano valley hill cave road village tower temple lighthouse boat car bicycle bus plane rocket
planet comet sailor pirate queen prince princess child teacher doctor farmer painter dancer singer poet soldier hunter
thief detective stranger friend neighbour baker shadow dream song violin guitar drum lantern lamp key map letter coin
crown sword shield ring bell hat coat shoe umbrella kite balloon toy puppet doll snowman apple pear cake cup table chair
engine machine computer telescope camera unicorn fairy giant witch elf mermaid phoenix penguin elephant monkey snake
kitten puppy camel goat sheep cow duck swan crow raven""".split()
ADJECTIVES = ["quiet", "golden", "lonely", "brave", "ancient", "silver", "tiny", "gentle", "hidden", "restless"]
VERBS = ["dreams of", "waits for", "sings to", "remembers", "dances with", "watches over", "runs toward", "whispers to"]
OBJECTS = [
    "the sea", "the night", "a distant light", "the first snow", "an old friend", "the summer rain", "the morning sun",
    "a forgotten song",
]
DEEDS = ["crossed the valley", "opened a door", "followed a river", "climbed a hill", "lost its way"]
TEMPLATES = [
    "The {adjective} {topic} {verb} {object}.",
    "Under the {adjective} sky, the {topic} {verb} {object}.",
    "Every evening the {topic} {verb} {object}.",
    "Nobody knew why the {topic} {verb} {object}.",
    "Once, {adjective_article} {topic} {deed} and found {object}.",
    "When the rain stopped, the {topic} {deed}.",
]
WORDINGS = [
    "Write a sentence about {t}.", "Write one sentence about {t}.", "Write a short sentence about {t}.",
    "Write something about {t}.", "Tell me something about {t}.", "Make up a line about {t}.", "Write a line about {t}.",
    "Begin a story about {t}.", "Start a story about {t}.", "Tell me a story about {t}.", "Describe {t} in one sentence.",
    "Give me a sentence about {t}.", "Invent a sentence about {t}.", "A sentence about {t}, please.",
    "Write a poem about {t}.", "Compose a line about {t}.", "Can you write a sentence about {t}?",
]
NEVER_HELD = "Write a sentence about {t}."  # the demo's own wording; other wordings are held out


def sentence(rng: Random, topic: str) -> str:
    adjective = rng.choice(ADJECTIVES)
    return rng.choice(TEMPLATES).format(
        adjective=adjective, adjective_article=article(adjective), topic=topic, verb=rng.choice(VERBS),
        object=rng.choice(OBJECTS), deed=rng.choice(DEEDS),
    )


def _grammar() -> "re.Pattern":
    def one_of(choices):
        return "(?:" + "|".join(map(re.escape, choices)) + ")"

    parts = dict(
        adjective=one_of(ADJECTIVES), adjective_article=one_of([article(a) for a in ADJECTIVES]), topic="[a-z]+",
        verb=one_of(VERBS), object=one_of(OBJECTS), deed=one_of(DEEDS),
    )
    return re.compile("|".join(template.replace(".", r"\.").format(**parts) for template in TEMPLATES))


GRAMMAR = _grammar()


def is_sentence_about(text: str, topic: str) -> bool:
    """Whether the text is a sentence of the grammar that names the topic."""
    return bool(GRAMMAR.fullmatch(text.strip())) and topic in re.findall("[a-z]+", text)


def example(rng: Random) -> Example:
    topic = rng.choice(TOPICS)
    wording = NEVER_HELD if rng.random() < 0.2 else rng.choice(WORDINGS)
    named = rng.choices([article(topic), "the " + topic, topic], [7, 2, 1])[0]
    held = 0 if wording == NEVER_HELD else 20
    return Example(FAMILY, "sentence", vary(rng, wording.format(t=named)), sentence(rng, topic), wording + topic, held, topic)
