"""Our language model as a PyTorch user writes it, eager. Does not import minitransformer."""

import math

import torch
import torch.nn.functional as F
from text_step import BETAS, DECAY, EPSILON, MAX_NORM, RATE
from torch import nn
from torch_contestant import arrays, tensors, twins


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        features = config.d_model
        self.heads = config.heads
        self.norm_1, self.norm_2 = nn.LayerNorm(features), nn.LayerNorm(features)
        self.three = nn.Linear(features, 3 * features, bias=False)
        self.output = nn.Linear(features, features, bias=False)
        self.expand, self.contract = (
            nn.Linear(features, config.d_ff), nn.Linear(config.d_ff, features),
        )

    def forward(self, x):
        batch, length, features = x.shape
        q, k, v = (
            part.view(batch, length, self.heads, -1).transpose(1, 2)
            for part in self.three(self.norm_1(x)).split(features, dim=2)
        )
        context = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.output(context.transpose(1, 2).reshape(batch, length, features))
        return x + self.contract(F.gelu(self.expand(self.norm_2(x))))


class Model(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.embedding = nn.Embedding(config.target_vocabulary, config.d_model)
        self.table = twins.sinusoids(config.max_length, config.d_model).float()
        self.blocks = nn.ModuleList([Block(config) for _ in range(config.decoder_layers)])
        self.norm = nn.LayerNorm(config.d_model)
        self.output = nn.Linear(config.d_model, config.target_vocabulary, bias=False)

    def forward(self, ids):
        x = self.embedding(ids) * math.sqrt(self.table.shape[1]) + self.table[: ids.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.output(self.norm(x))


class TorchText:
    def __init__(self, config, batch):
        _, self.target_in, self.target_out = (
            ids if ids is None else torch.tensor(ids) for ids in batch
        )
        self.model = Model(config)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), RATE, BETAS, EPSILON, weight_decay=DECAY
        )

    def gradients(self):
        """Forward and backward; the loss."""
        self.optimizer.zero_grad()
        logits = self.model(self.target_in)
        loss = F.cross_entropy(logits.flatten(0, 1), self.target_out.flatten())
        loss.backward()
        return loss.item()

    def step(self):
        self.gradients()
        nn.utils.clip_grad_norm_(self.model.parameters(), MAX_NORM)
        self.optimizer.step()

    def weights(self):
        return arrays(dict(self.model.named_parameters()))

    def named_gradients(self):
        return arrays({name: p.grad for name, p in self.model.named_parameters()})

    def translated(self, ours):
        """Our {path: array} under PyTorch's names, in its layout."""
        w = tensors(ours)
        state = {
            "embedding.weight": w["input.embedding.weight"],
            "output.weight": w["output.weight"].T,
            **norm(w, "layers.final_norm", "norm"),
        }
        for number in range(len(self.model.blocks)):
            a, b = f"layers.layers.{number}", f"blocks.{number}"
            three = (w[f"{a}.self_attention.{name}.weight"].T for name in ("query", "key", "value"))
            state |= {
                **norm(w, f"{a}.add_norm_1.norm", f"{b}.norm_1"),
                **norm(w, f"{a}.add_norm_2.norm", f"{b}.norm_2"),
                f"{b}.three.weight": torch.cat([*three]),
                f"{b}.output.weight": w[f"{a}.self_attention.output.weight"].T,
            }
            for part in ("expand", "contract"):
                state[f"{b}.{part}.weight"] = w[f"{a}.feed_forward.{part}.weight"].T
                state[f"{b}.{part}.bias"] = w[f"{a}.feed_forward.{part}.bias"]
        return arrays(state)

    def take_weights(self, ours):
        self.model.load_state_dict(tensors(self.translated(ours)))

    def double(self):
        self.model.double()
        self.model.table = twins.sinusoids(*self.model.table.shape)


def norm(w, ours, theirs):
    return {f"{theirs}.weight": w[f"{ours}.gamma"], f"{theirs}.bias": w[f"{ours}.beta"]}
