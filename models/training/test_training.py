"""Quick checks of the training code: `python3 -m unittest` in this folder."""

import random
import unittest

import numpy
import torch

from catalogue import PLANS, SPECIES
from corpus import FAMILIES, Mixture, abstention, answerable, final_answer
from corpus.creative import is_sentence_about
from corpus.logic import boolean_expression, reduce_boolean
from corpus.maths import add, multiply, subtract
from export import quantise_q8_0
from heldout import load, normalise
from model import CONTEXT_LENGTH, LanguageModel, Shape
from muon import orthogonalise
from tokenizer import END, Tokenizer
from train import schedule


class Corpus(unittest.TestCase):
    def test_worked_arithmetic_ends_in_the_result(self):
        rng = random.Random(1)
        for _ in range(500):
            a, b = rng.randint(0, 999), rng.randint(0, 999)
            self.assertEqual(final_answer("maths", add(a, b)), str(a + b))
            self.assertEqual(final_answer("maths", subtract(a, b)), str(a - b))
            self.assertEqual(final_answer("maths", multiply(a % 100, b % 100)), str((a % 100) * (b % 100)))

    def test_boolean_expressions_reduce_to_their_value(self):
        rng = random.Random(6)
        for _ in range(500):
            expression = boolean_expression(rng, 3)
            value = eval(expression.replace("true", "True").replace("false", "False"))
            self.assertEqual(final_answer("logic", reduce_boolean(expression)), str(value).lower())

    def test_written_sentences_belong_to_the_grammar(self):
        rng = random.Random(2)
        for _ in range(200):
            example = FAMILIES["creative"](rng)
            self.assertTrue(is_sentence_about(example.answer, example.topic))
        self.assertFalse(is_sentence_about("The quiet dog remembers the sea.", "cat"))

    def test_no_model_is_trained_on_a_held_out_prompt_it_answers(self):
        held = {(entry["family"], normalise(entry["prompt"])) for entry in load()}
        for plan in PLANS:
            mixture, rng = Mixture(plan.families), random.Random(plan.seed)
            for _ in range(2000):
                example = mixture.training_example(rng)
                self.assertFalse(example.held_out)
                self.assertFalse((example.family, normalise(example.prompt)) in held, example.prompt)

    def test_a_model_declines_what_is_not_its_own(self):
        mixture, rng = Mixture({"maths": 1.0}), random.Random(3)
        for _ in range(2000):
            example = mixture.training_example(rng)
            declines = example.answer == abstention.ANSWER
            self.assertEqual(declines, not answerable(example, ["maths"]))

    def test_every_example_fits_the_context(self):
        tokenizer, rng = Tokenizer.load(), random.Random(4)
        for sample in [*FAMILIES.values(), abstention.example, abstention.beyond_the_columns]:
            for _ in range(300):
                example = sample(rng)
                length = len(tokenizer.encode_prompt(example.prompt)) + len(tokenizer.encode(example.answer)) + 1
                self.assertLess(length, CONTEXT_LENGTH)


class TokenizerRoundTrip(unittest.TestCase):
    def test_text_survives(self):
        tokenizer = Tokenizer.load()
        for text in ["What is 15 × 23?", "def f(x):\n    return x", "  naïve  — 東京", "<|end|>"]:
            self.assertEqual(tokenizer.decode(tokenizer.encode(text)), text)

    def test_every_digit_is_a_token_and_markers_in_text_are_not(self):
        tokenizer = Tokenizer.load()
        self.assertEqual(len(tokenizer.encode("2024")), 4)
        self.assertNotIn(END, tokenizer.encode("<|end|>"))


class Model(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(0)
        self.model = LanguageModel(Shape(d=32, layers=2, heads=2, ff=32), 300)

    def test_later_tokens_do_not_change_earlier_ones(self):
        tokens = torch.randint(0, 300, (1, 12))
        changed = tokens.clone()
        changed[0, 8:] = 5
        with torch.no_grad():
            self.assertTrue(torch.allclose(self.model.hidden(tokens)[:, :8], self.model.hidden(changed)[:, :8], atol=1e-6))

    def test_batching_prompts_does_not_change_answers(self):
        prompts = [[2, 40, 41, 3], [2, 50, 3], [2, 60, 61, 3]]
        together = self.model.generate(prompts, longest=6)
        for prompt, answer in zip(prompts, together):
            self.assertEqual(self.model.generate([prompt], longest=6)[0].tokens, answer.tokens)

    def test_every_plan_keeps_the_block_size(self):
        for plan in PLANS:
            self.assertEqual((plan.shape.d % 32, plan.shape.ff % 32, plan.shape.d % plan.shape.heads), (0, 0, 0))
        self.assertEqual(sorted(name for pair in SPECIES.values() for name in pair), sorted(plan.name for plan in PLANS))


class Numerics(unittest.TestCase):
    def test_orthogonalise_brings_singular_values_near_one(self):
        singular = torch.linalg.svdvals(orthogonalise(torch.randn(24, 64)))
        self.assertTrue(bool(((singular > 0.3) & (singular < 1.4)).all()))

    def test_q8_0_keeps_weights_within_half_a_step(self):
        weights = numpy.random.default_rng(5).normal(size=(4, 64)).astype(numpy.float32)
        blocks = numpy.frombuffer(quantise_q8_0(weights), dtype=[("scale", "<f2"), ("weights", "i1", 32)])
        restored = (blocks["scale"].astype(numpy.float32)[:, None] * blocks["weights"]).reshape(weights.shape)
        self.assertLess(float(numpy.abs(restored - weights).max()), float(numpy.abs(weights).max()) / 127)

    def test_the_schedule_warms_up_and_decays(self):
        rates = [schedule(step, 1000) for step in range(1000)]
        self.assertEqual((rates[99], rates[399]), (1.0, 1.0))
        self.assertLess(rates[0], 0.02)
        self.assertLess(rates[999], 0.03)


if __name__ == "__main__":
    unittest.main()
