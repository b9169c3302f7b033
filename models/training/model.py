"""A decoder-only transformer of the llama architecture, in the few operations llama.cpp also applies.

RMSNorm ("Root Mean Square Layer Normalization", Zhang and Sennrich 2019), rotary positions ("RoFormer",
Su et al. 2021), SwiGLU ("GLU Variants Improve Transformer", Shazeer 2020), tied embeddings ("Using the
Output Embedding to Improve Language Models", Press and Wolf 2017); put together as in "LLaMA" (Touvron et
al. 2023).
"""

import math
from typing import List, NamedTuple, Sequence, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from tokenizer import END, PAD

CONTEXT_LENGTH = 256
NORM_EPSILON = 1e-5
ROPE_BASE = 10_000.0


class Shape(NamedTuple):
    """Widths are multiples of 32, the block size of Q8_0."""

    d: int
    layers: int
    heads: int
    ff: int


class RMSNorm(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + NORM_EPSILON) * self.weight


def rope_tables(length: int, head_width: int) -> Tuple[Tensor, Tensor]:
    frequencies = ROPE_BASE ** (-torch.arange(0, head_width, 2).float() / head_width)
    angles = torch.arange(length).float()[:, None] * frequencies[None]
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotates the pairs (2i, 2i+1), llama.cpp's layout for llama, so the export permutes nothing."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cosine - odd * sine, even * sine + odd * cosine), -1).flatten(-2)


class Block(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.heads = shape.heads
        self.attention_norm = RMSNorm(shape.d)
        self.query_key_value = nn.Linear(shape.d, 3 * shape.d, bias=False)
        self.attention_output = nn.Linear(shape.d, shape.d, bias=False)
        self.ff_norm = RMSNorm(shape.d)
        self.gate_up = nn.Linear(shape.d, 2 * shape.ff, bias=False)
        self.down = nn.Linear(shape.ff, shape.d, bias=False)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor, mask: Tensor) -> Tensor:
        batch, length, width = x.shape
        head_width = width // self.heads
        parts = self.query_key_value(self.attention_norm(x)).view(batch, length, 3, self.heads, head_width)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        scores = rotate(query, cosine, sine) @ rotate(key, cosine, sine).transpose(-1, -2)
        weights = functional.softmax(scores / math.sqrt(head_width) + mask, -1)
        x = x + self.attention_output((weights @ value).transpose(1, 2).reshape(batch, length, width))
        gate, up = self.gate_up(self.ff_norm(x)).chunk(2, -1)
        return x + self.down(functional.silu(gate) * up)


class Answer(NamedTuple):
    """Greedy tokens without the end marker, and the log probability of each, including the marker."""

    tokens: List[int]
    log_probabilities: List[float]


class LanguageModel(nn.Module):
    def __init__(self, shape: Shape, vocabulary: int):
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(vocabulary, shape.d)
        self.blocks = nn.ModuleList([Block(shape) for _ in range(shape.layers)])
        self.norm = RMSNorm(shape.d)
        cosine, sine = rope_tables(CONTEXT_LENGTH, shape.d // shape.heads)
        self.register_buffer("cosine", cosine, False)
        self.register_buffer("sine", sine, False)
        causal = torch.full((CONTEXT_LENGTH, CONTEXT_LENGTH), float("-inf")).triu(1)
        self.register_buffer("causal", causal, False)
        self._initialise()

    def _initialise(self) -> None:
        """Projections into the residual stream start smaller if more layers add to it."""
        nn.init.normal_(self.embedding.weight, std=0.03)
        for block in self.blocks:
            for linear in (block.query_key_value, block.gate_up):
                nn.init.normal_(linear.weight, std=0.7 / math.sqrt(linear.in_features))
            for linear in (block.attention_output, block.down):
                nn.init.normal_(linear.weight, std=0.35 / math.sqrt(linear.in_features * self.shape.layers))

    def hidden(self, tokens: Tensor) -> Tensor:
        length = tokens.shape[1]
        x = self.embedding(tokens)
        for block in self.blocks:
            x = block(x, self.cosine[:length], self.sine[:length], self.causal[:length, :length])
        return self.norm(x)

    def logits(self, hidden: Tensor) -> Tensor:
        return hidden @ self.embedding.weight.t()

    @torch.no_grad()
    def generate(self, prompts: Sequence[List[int]], longest: int = 90) -> List[Answer]:
        """Greedy answers. Prompts of equal length run together, so the attention sees no padding."""
        answers = [Answer([], []) for _ in prompts]
        lengths = sorted({len(prompt) for prompt in prompts})
        for length in lengths:
            alive = [i for i, prompt in enumerate(prompts) if len(prompt) == length]
            tokens = torch.tensor([prompts[i] for i in alive])
            for _ in range(longest):
                scores = functional.log_softmax(self.logits(self.hidden(tokens)[:, -1]), -1)
                best, chosen = scores.max(-1)
                for i, log_probability, token in zip(alive, best.tolist(), chosen.tolist()):
                    answers[i].log_probabilities.append(log_probability)
                    if token not in (END, PAD):
                        answers[i].tokens.append(token)
                going = [row for row, token in enumerate(chosen.tolist()) if token not in (END, PAD)]
                if not going:
                    break
                tokens = torch.cat([tokens[going], chosen[going, None]], 1)
                alive = [alive[row] for row in going]
        return answers
