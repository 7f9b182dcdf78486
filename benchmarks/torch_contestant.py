"""PyTorch, eager: the twin of our Transformer around nn.Transformer. Does not import
minitransformer."""

import sys
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F
from workload import BETAS, EPSILON, LABEL_SMOOTHING, RATE

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from references import twins  # noqa: E402

# the encoder's fast path has them
warnings.filterwarnings("ignore", message=".*nested tensors is in prototype stage")


def tensors(arrays):
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def arrays(tensors):
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in tensors.items()}


class Torch:
    """`fused_adam` takes the optimizer that does its work in one pass, not the default one.

    On a GPU ("gpu"), `compiled` by torch.compile, and with `bfloat16` under autocast.
    """

    def __init__(
        self, config, batch, fused_adam=False, device="cpu", compiled=False, bfloat16=False
    ):
        self.device, self.bfloat16 = "cuda" if device == "gpu" else device, bfloat16
        self.source, self.target_in, self.target_out = (
            torch.tensor(ids, device=self.device) for ids in batch
        )
        self.model = twins.TransformerTwin(config).to(self.device)
        self.model.table = self.model.table.to(self.device)
        self.forward = torch.compile(self.model) if compiled else self.model
        options = {"fused": True} if fused_adam else {}
        self.optimizer = torch.optim.Adam(self.model.parameters(), RATE, BETAS, EPSILON, **options)

    def gradients(self):
        """Forward and backward; the loss."""
        self.optimizer.zero_grad()
        with torch.autocast(self.device, torch.bfloat16, enabled=self.bfloat16):
            logits = self.forward(self.source, self.target_in)
            loss = F.cross_entropy(
                logits.flatten(0, 1), self.target_out.flatten(), ignore_index=0,
                label_smoothing=LABEL_SMOOTHING,
            )
        loss.backward()
        return loss.item()

    def step(self):
        self.gradients()
        self.optimizer.step()

    def evaluation(self):
        self.model.eval()

        @torch.inference_mode()
        def logits():
            return self.model(self.source, self.target_in).cpu().numpy()

        return logits

    def weights(self):
        return arrays(dict(self.model.named_parameters()))

    def named_gradients(self):
        return arrays({name: p.grad for name, p in self.model.named_parameters()})

    def translated(self, ours):
        """Our {path: array} under PyTorch's names, in its layout."""
        return arrays(twins.transformer(tensors(ours)))

    def take_weights(self, ours):
        self.model.load_state_dict(twins.transformer(tensors(ours)))

    def double(self):
        self.model.double()
        self.model.table = twins.sinusoids(*self.model.table.shape).to(self.device)
