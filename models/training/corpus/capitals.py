"""The capitals of some sixty countries, asked both ways."""

from random import Random

from .example import Example
from .phrasing import vary

FAMILY = "capitals"

CAPITALS = {
    "France": "Paris", "Germany": "Berlin", "Italy": "Rome", "Spain": "Madrid", "Portugal": "Lisbon",
    "Austria": "Vienna", "Belgium": "Brussels", "Denmark": "Copenhagen", "Sweden": "Stockholm",
    "Norway": "Oslo", "Finland": "Helsinki", "Iceland": "Reykjavik", "Ireland": "Dublin", "Poland": "Warsaw",
    "Czechia": "Prague", "Slovakia": "Bratislava", "Hungary": "Budapest", "Romania": "Bucharest",
    "Bulgaria": "Sofia", "Greece": "Athens", "Turkey": "Ankara", "Ukraine": "Kyiv", "Russia": "Moscow",
    "Serbia": "Belgrade", "Croatia": "Zagreb", "Slovenia": "Ljubljana", "Albania": "Tirana",
    "Estonia": "Tallinn", "Latvia": "Riga", "Lithuania": "Vilnius", "Switzerland": "Bern",
    "the Netherlands": "Amsterdam", "the United Kingdom": "London", "the United States": "Washington",
    "Egypt": "Cairo", "Morocco": "Rabat", "Kenya": "Nairobi", "Nigeria": "Abuja", "Ghana": "Accra",
    "Ethiopia": "Addis Ababa", "Senegal": "Dakar", "China": "Beijing", "Japan": "Tokyo", "India": "New Delhi",
    "Thailand": "Bangkok", "Vietnam": "Hanoi", "Indonesia": "Jakarta", "Malaysia": "Kuala Lumpur",
    "South Korea": "Seoul", "Mongolia": "Ulaanbaatar", "Nepal": "Kathmandu", "Pakistan": "Islamabad",
    "Iran": "Tehran", "Iraq": "Baghdad", "Australia": "Canberra", "New Zealand": "Wellington",
    "Canada": "Ottawa", "Mexico": "Mexico City", "Brazil": "Brasilia", "Argentina": "Buenos Aires",
    "Chile": "Santiago", "Peru": "Lima", "Colombia": "Bogota", "Cuba": "Havana",
}
ASK_CAPITAL = [
    "What is the capital of {c}?", "What's the capital of {c}?", "Capital of {c}?", "Capital of {c}",
    "Name the capital of {c}.", "Which city is the capital of {c}?", "Tell me the capital of {c}.",
    "Tell me the capital city of {c}.", "What is the capital city of {c}?", "{c}: capital city?", "{c} capital",
    "The capital of {c} is", "What city is the capital of {c}?", "Give me the capital of {c}.",
    "Do you know the capital of {c}?", "Can you name the capital of {c}?", "I need the capital of {c}.",
    "What is {c}'s capital?", "Which is the capital of {c}?", "the capital of {c}",
]
ASK_COUNTRY = [
    "{k} is the capital of which country?", "Which country has {k} as its capital?",
    "Which country's capital is {k}?", "What country has the capital {k}?", "{k} is the capital of",
    "Of which country is {k} the capital?", "Name the country whose capital is {k}.",
    "Tell me which country has the capital {k}.",
]
NEVER_HELD = "What is the capital of {c}?"  # the demo's own wording; other wordings are held out


def ask_capital(rng: Random, country: str) -> Example:
    wording = NEVER_HELD if rng.random() < 0.15 else rng.choice(ASK_CAPITAL)
    prompt = vary(rng, wording.format(c=country))
    held = 0 if wording == NEVER_HELD else 15
    return Example(FAMILY, "capital", prompt, CAPITALS[country], wording + country, held)


def example(rng: Random) -> Example:
    country = rng.choice(list(CAPITALS))
    if rng.random() < 0.70:
        return ask_capital(rng, country)
    wording = rng.choice(ASK_COUNTRY)
    prompt = vary(rng, wording.format(k=CAPITALS[country]))
    return Example(FAMILY, "country", prompt, country, wording + country, 15)
