"""Muon for the hidden matrices, AdamW for embeddings and norms.

"Muon: An optimizer for hidden layers in neural networks" (Jordan et al. 2024): the momentum of each matrix
is brought close to an orthogonal one by a Newton-Schulz iteration before it is applied.
"""

from typing import List

import torch
from torch import Tensor

from model import LanguageModel

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5


class Muon:
    def __init__(self, model: LanguageModel, learning_rate: float, momentum: float, weight_decay: float):
        self.learning_rate, self.momentum, self.weight_decay = learning_rate, momentum, weight_decay
        self.parameters: List[Tensor] = []
        self._parts: List[int] = []
        for block in model.blocks:
            # Fused projections are separate maps, so each part is orthogonalised separately.
            for linear, parts in ((block.query_key_value, 3), (block.attention_output, 1), (block.gate_up, 2), (block.down, 1)):
                self.parameters.append(linear.weight)
                self._parts.append(parts)
        self._momenta = [torch.zeros_like(parameter) for parameter in self.parameters]

    @torch.no_grad()
    def step(self, schedule: float) -> None:
        rate = self.learning_rate * schedule
        for parameter, parts, momentum in zip(self.parameters, self._parts, self._momenta):
            momentum.lerp_(parameter.grad, 1 - self.momentum)
            nesterov = parameter.grad.lerp(momentum, self.momentum)
            updates = [orthogonalise(part) for part in nesterov.chunk(parts)]
            scale = max(1.0, updates[0].shape[0] / updates[0].shape[1]) ** 0.5
            parameter.mul_(1 - rate * self.weight_decay)
            parameter.add_(torch.cat(updates), alpha=-rate * scale)


def orthogonalise(matrix: Tensor) -> Tensor:
    a, b, c = NEWTON_SCHULZ
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.t() if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.t()
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.t() if tall else x
