"""Prompts that a model should decline, so that it says so instead of guessing."""

from random import Random

from .capitals import CAPITALS
from .example import Example
from .phrasing import article, vary

FAMILY = "none"
ANSWER = "I don't know"
HELD_PERCENT = 12

GREETINGS = [
    "Hello", "Hi", "Hey", "Good morning", "Good evening", "Good night", "Howdy", "Greetings", "Welcome", "Bye",
    "Thanks", "Thank you", "Cheers", "Nice to meet you", "See you",
]
GREETING_TAILS = [
    "", "!", ".", " there", " there!", " friend", ", how are you?", ", who are you?", " everyone", " again",
    " my friend", ", can you help me?", " and good luck", " to you", " dear model",
]
NOUNS = """banana window river coffee guitar mountain pencil garden bottle market camera blanket ticket island butter
football hammer library pocket rocket salad teapot umbrella violin yogurt zebra airport bakery carpet diamond engine
feather glacier harbour insect jacket kettle lemon magnet napkin onion parrot quartz ribbon saddle tomato uniform valley
wallet xylophone album battery cactus dolphin elbow fountain gravity helmet income jungle kingdom laptop museum needle
orchid palace quilt radio sandal tunnel vaccine whistle cheese marble donkey ladder spoon tiger planet mirror bread
chair table house bicycle doctor teacher farmer student lawyer pilot nurse singer baker thief neighbour cousin""".split()
ADJECTIVES = """old new red green heavy cheap broken happy tired famous strange local modern wooden empty small loud wet clean
fast""".split()
VERBS_PAST = """bought sold lost found painted carried broke cleaned liked forgot borrowed hid watched followed kicked opened
dropped""".split()
VERBS = "repair clean paint build sell buy choose store move grow cook learn tune wash replace improve measure".split()
SUBJECTS = """photosynthesis inflation gravity democracy evolution blockchain electricity happiness justice music history
chemistry friendship climate grammar cooking philosophy football biology taxes sleep memory magnetism poetry
love time""".split()
LANGUAGES = "French German Spanish Italian Polish Latin Chinese Arabic Hindi Swedish".split()
PLACES = """Atlantis Narnia Mordor Wakanda Gondor Oz Utopia Westeros Gotham Mars Venus Europe Asia Africa Texas Bavaria
Antarctica Hogwarts Neverland Lilliput""".split()
PEOPLE = "Einstein Mozart Cleopatra Shakespeare Newton Picasso Darwin Gandhi Napoleon Beethoven Curie Plato".split()
THINGS_OF_COUNTRIES = [
    "population", "currency", "flag", "language", "president", "climate", "highest mountain", "longest river",
    "national dish", "time zone", "king", "history",
]

REQUESTS = [
    "Plan a {n}-week trip to {country} including budget, itinerary, and booking links", "Plan a {n}-day trip to {city}.",
    "Write an essay about {subject}.", "Write a {n}-page report on {subject}.", "Design {a_noun}.", "Draw {a_noun}.",
    "Recommend {n} books about {subject}.", "Translate {noun} into {language}.", "Summarise the history of {country}.",
    "Give me a recipe with {noun} and {other}.", "Book a flight from {city} to {city2}.", "Explain {subject} to a child.",
    "Compare {subject} and {subject2}.", "Help me {verb} {a_noun}.", "Create a business plan for {a_noun} shop.",
    "Organise a party for {n} people.", "Find me a cheap hotel in {city}.", "Order {n} {adj} {noun}s.", "Sing a song.",
    "Set an alarm for {n} o'clock.", "Remind me to {verb} the {noun}.", "Tell me a joke.", "Teach me {language}.",
    "Prove that {subject} exists.", "Invest {n} dollars in {subject}.", "Show me a map of {country}.",
]
QUESTIONS = [
    "Why is the {noun} {adj}?", "Why do people like {subject}?", "Why does {a_noun} break?", "How do I {verb} {a_noun}?",
    "How does {subject} work?", "How far is {city} from {city2}?", "How old is {person}?", "How many {noun}s are in {city}?",
    "When was {person} born?", "When did {country} become independent?", "Who invented the {noun}?", "Who is {person}?",
    "Who wrote about {subject}?", "Where can I buy {a_noun}?", "Where is my {noun}?", "Where does {person} live?",
    "What is {subject}?", "What is {a_noun}?", "What is the meaning of {subject}?", "What is the {fact} of {country}?",
    "What is the capital of {place}?", "Capital of {place}?", "What's the weather in {city}?", "What time is it?",
    "What should I eat?", "What is your name?", "What colour is the {noun}?", "Which {noun} is the best?",
    "Should I {verb} my {noun}?", "Can you {verb} {a_noun}?", "Do you like {noun}?", "Is the {noun} {adj}?",
    "Is {person} {adj}?", "Are you {adj}?", "How are you?", "Who are you?", "What is the price of {a_noun}?",
]
STATEMENTS = [
    "The {adj} {noun} is {adj2}.", "My {noun} is {adj}.", "I {verb_past} {a_noun}.", "She {verb_past} the {adj} {noun}.",
    "I like {noun} and {other}.", "{person} {verb_past} my {noun}.", "We are in {city}.", "I am {adj}.", "It is {adj} today.",
    "{subject} is {adj}.", "There is {a_noun} on the {other}.", "They {verb_past} {n} {noun}s.", "This is not {a_noun}.",
]


def _fill(rng: Random, template: str) -> str:
    noun = rng.choice(NOUNS)
    return template.format(
        n=rng.randint(2, 12), noun=noun, a_noun=article(noun), other=rng.choice(NOUNS), adj=rng.choice(ADJECTIVES),
        adj2=rng.choice(ADJECTIVES), verb=rng.choice(VERBS), verb_past=rng.choice(VERBS_PAST), subject=rng.choice(SUBJECTS),
        subject2=rng.choice(SUBJECTS), language=rng.choice(LANGUAGES), place=rng.choice(PLACES), person=rng.choice(PEOPLE),
        fact=rng.choice(THINGS_OF_COUNTRIES), country=rng.choice(list(CAPITALS)), city=rng.choice(list(CAPITALS.values())),
        city2=rng.choice(list(CAPITALS.values())),
    )


def _letters(rng: Random) -> str:
    return " ".join(
        "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(2, 9))) for _ in range(rng.randint(1, 4))
    )


def example(rng: Random) -> Example:
    """A prompt outside every family."""
    kind = rng.choices(["greeting", "word", "request", "question", "statement", "nonsense"], [2, 3, 5, 6, 3, 2])[0]
    if kind == "greeting":
        text = rng.choice(GREETINGS) + rng.choice(GREETING_TAILS)
    elif kind == "word":
        words = rng.sample(NOUNS + ADJECTIVES + SUBJECTS, rng.choice([1, 1, 1, 2, 3, 5]))
        text = " ".join(words) + rng.choice(["", "", "", "?", "!"])
    elif kind == "nonsense":
        text = _letters(rng)
    else:
        templates = {"request": REQUESTS, "question": QUESTIONS, "statement": STATEMENTS}[kind]
        text = _fill(rng, rng.choice(templates))
        text = text[0].upper() + text[1:]
    return Example(FAMILY, kind, vary(rng, text), ANSWER, text.lower(), HELD_PERCENT)


def beyond_the_columns(rng: Random) -> Example:
    """Arithmetic that looks like the maths family, but is larger or of another kind."""
    a, b = rng.randint(100, 9999), rng.randint(10, 9999)
    text = rng.choice([
        f"What is {a} × {b}?", f"{a} * {b}", f"What is {a * 11} + {b * 7 + 1000}?", f"{a * 13} - {b}", f"What is {a} / {b}?",
        f"What is {a % 200} divided by {b % 90 + 2}?", f"{a % 90} ^ {b % 9}", f"What is {a}% of {b}?", f"What is the square root of {a}?",
        f"Calculate {a} times {b}.", f"What is {a % 99}.{b % 9} + {b % 99}.5?",
    ])
    return Example(FAMILY, "too large", vary(rng, text), ANSWER, text, HELD_PERCENT)


HAND_WRITTEN = [
    "Could you water my plants while I am away?", "The meeting was moved to Thursday afternoon.", "rhubarb", "qwertyuiop",
    "Who won the football world cup in 1998?", "Is it going to rain tomorrow?", "Explain how vaccines protect us.", "ok", "lol",
    "Give me three tips for a job interview.", "Translate 'good morning' into Japanese.", "My cat is ill, what should I do?",
    "How do aeroplanes stay in the air?", "What is the boiling point of water?", "Write a cover letter for a bank.", "sure, why not",
    "Can penguins fly?", "Tell me about the French revolution.", "I have a headache.", "Which phone should I buy next year?",
    "Name a famous painter.", "Recipe for pancakes", "Make a weekly workout plan.", "When is Easter this year?", "who am i",
    "Let us talk about politics.", "Is there life on other planets?", "How do I tie a tie?", "Sort my e-mails, please.", "Buy milk",
    "What are the side effects of aspirin?", "Summarise this article in two paragraphs.", "It was a dark and stormy night.",
    "Do you dream?", "Where did I leave my keys?", "What does my horoscope say?", "Suggest a name for my puppy.", "42",
]
