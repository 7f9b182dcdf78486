"""One library learns to reverse, in a process of its own that reverse.py starts and holds the clock
for.

python reverse_child.py weights FILE SEED writes the first weights; python reverse_child.py LIBRARY
SETTINGS, which are JSON, learns. What is imported, is imported by the learner, so that the clock
sees it.
"""

import json
import sys
from types import SimpleNamespace

import numpy as np
import reverse_task as task


class Ours:
    """minitransformer, by its training loop."""

    def __init__(self, weights, **_):
        from minitransformer import Transformer, TransformerConfig
        from minitransformer.layers import CrossEntropy
        from minitransformer.training import Adam

        self.model = Transformer(TransformerConfig(**task.MODEL, **task.OURS_ALONE), 0)
        self.model.load_state_dict(weights)
        self.loss = CrossEntropy(padding=0)
        self.optimizer = Adam(self.model, task.rate, *task.BETAS, task.EPSILON)

    def train(self, batches, last_step):
        """Train on to that step; the loss there."""
        from minitransformer.data.batching import Batch
        from minitransformer.training import in_shares, train
        from minitransformer.training.options import TrainingOptions

        losses = []
        train(self.model, self.loss, self.optimizer, lambda: Batch(*next(batches)), last_step,
              hooks=[lambda progress: losses.append(progress.loss)],
              strategy=in_shares(TrainingOptions().shares, skip_padding=True))  # fmt: skip
        return losses[-1]

    def logits(self, source, target_in):
        from minitransformer.core import evaluating

        with evaluating(self.model):
            return self.model(source, target_in)


class PyTorch:
    """PyTorch, eager."""

    def __init__(self, weights, fused_adam=False, **_):
        from torch_contestant import tensors, torch, twins

        self.model = twins.TransformerTwin(SimpleNamespace(**task.MODEL))
        self.model.load_state_dict(twins.transformer(tensors(weights)))
        options = {"fused": True} if fused_adam else {}
        self.optimizer = torch.optim.Adam(
            self.model.parameters(), task.RATE, task.BETAS, task.EPSILON, **options
        )
        self.step = 0

    def train(self, batches, last_step):
        """Train on to that step; the loss there."""
        from torch_contestant import F, torch

        while self.step < last_step:
            self.step += 1
            source, target_in, target_out = map(torch.from_numpy, next(batches))
            self.optimizer.param_groups[0]["lr"] = task.rate(self.step)
            self.optimizer.zero_grad()
            logits = self.model(source, target_in)
            loss = F.cross_entropy(
                logits.flatten(0, 1), target_out.flatten(), ignore_index=task.PAD
            )
            loss.backward()
            self.optimizer.step()
        return loss.item()

    def logits(self, source, target_in):
        from torch_contestant import torch

        self.model.eval()
        with torch.inference_mode():
            logits = self.model(torch.from_numpy(source), torch.from_numpy(target_in)).numpy()
        self.model.train()
        return logits


LEARNERS = {"ours": Ours, "PyTorch": PyTorch}


def learn(learner, settings):
    """Train, and say after every so many steps how good it is, until it is good enough or the last
    step is done."""
    batches, (source, target_in, target_out) = task.stream(settings["seed"]), task.held_out()
    step = 0
    while step < settings["give_up"]:
        step = min(step + settings["every"], settings["give_up"])
        loss = learner.train(batches, step)
        exact = task.exact_match(learner.logits(source, target_in), target_out)
        print(json.dumps({"step": step, "loss": loss, "exact_match": exact}), flush=True)
        if exact >= settings["goal"]:
            return


def write_weights(file, seed):
    from minitransformer import Transformer, TransformerConfig

    model = Transformer(TransformerConfig(**task.MODEL, **task.OURS_ALONE), int(seed))
    np.savez(file, **model.state_dict())


def main(mode, *arguments):
    if mode == "weights":
        return write_weights(*arguments)
    settings = json.loads(arguments[0])
    with np.load(settings["weights"]) as file:
        weights = dict(file)
    learn(LEARNERS[mode](weights, fused_adam=settings["fused_adam"]), settings)


if __name__ == "__main__":
    main(*sys.argv[1:])
