"""A MarianMTModel of transformers that is our Transformer: the same sizes, the same weights, the
same positions.

Both are post-norm without final norms, with biases in attention, ReLU, embeddings × √D, and tied
where ours is. What differs: Marian keeps its sinusoids sine | cosine, so it is given our table, and
adds a bias of zeros to the logits.
"""

import numpy as np
import torch
import transformers

from minitransformer.backend import as_numpy, on_host
from minitransformer.data.vocabulary import BOS, EOS, PAD


def marian_config(config):
    return transformers.MarianConfig(
        vocab_size=config.source_vocabulary, decoder_vocab_size=config.target_vocabulary,
        d_model=config.d_model, max_position_embeddings=config.max_length,
        encoder_layers=config.encoder_layers, decoder_layers=config.decoder_layers,
        encoder_attention_heads=config.heads, decoder_attention_heads=config.heads,
        encoder_ffn_dim=config.d_ff, decoder_ffn_dim=config.d_ff,
        activation_function=config.activation, scale_embedding=True,
        share_encoder_decoder_embeddings=config.tie_embeddings,
        tie_word_embeddings=config.tie_embeddings, pad_token_id=PAD, bos_token_id=BOS,
        decoder_start_token_id=BOS, eos_token_id=EOS, forced_eos_token_id=None,
    )  # fmt: skip


def linear(w, ours, theirs):
    return {f"{theirs}.weight": w[f"{ours}.weight"].T, f"{theirs}.bias": w[f"{ours}.bias"]}


def norm(w, ours, theirs):
    return {f"{theirs}.weight": w[f"{ours}.norm.gamma"], f"{theirs}.bias": w[f"{ours}.norm.beta"]}


def attention(w, ours, theirs):
    named = {"query": "q_proj", "key": "k_proj", "value": "v_proj", "output": "out_proj"}
    return {
        name: x
        for a, b in named.items()
        for name, x in linear(w, f"{ours}.{a}", f"{theirs}.{b}").items()
    }


def layer(w, side, n):
    path, theirs = f"{side}.layers.{n}", f"model.{side}.layers.{n}"
    state = {
        **attention(w, f"{path}.self_attention", f"{theirs}.self_attn"),
        **norm(w, f"{path}.add_norm_1", f"{theirs}.self_attn_layer_norm"),
        **linear(w, f"{path}.feed_forward.expand", f"{theirs}.fc1"),
        **linear(w, f"{path}.feed_forward.contract", f"{theirs}.fc2"),
    }
    if side == "encoder":
        return {**state, **norm(w, f"{path}.add_norm_2", f"{theirs}.final_layer_norm")}
    return {
        **state,
        **attention(w, f"{path}.cross_attention", f"{theirs}.encoder_attn"),
        **norm(w, f"{path}.add_norm_2", f"{theirs}.encoder_attn_layer_norm"),
        **norm(w, f"{path}.add_norm_3", f"{theirs}.final_layer_norm"),
    }


def marian_weights(model):
    """The weights of our `model` under Marian's names, as arrays."""
    w, config = {name: as_numpy(array) for name, array in model.state_dict().items()}, model.config
    source = w["source_input.embedding.weight"]
    target = source if config.tie_embeddings else w["target_input.embedding.weight"]
    state = {"lm_head.weight": source if config.tie_embeddings else w["output.weight"].T}
    for side, table, position in (("encoder", source, model.source_input.position),
                                  ("decoder", target, model.target_input.position)):  # fmt: skip
        state[f"model.{side}.embed_tokens.weight"] = table
        state[f"model.{side}.embed_positions.weight"] = as_numpy(position.table)
        for n in range(len(getattr(model, side).layers)):
            state.update(layer(w, side, n))
    if config.tie_embeddings:
        state["model.shared.weight"] = source
    return {**state, "final_logits_bias": np.zeros((1, config.target_vocabulary))}


def marian_of(model):
    """A MarianMTModel in eval mode with the weights of our `model`, in its dtype and on its
    device."""
    transformers.logging.set_verbosity_error()
    first = model.parameters()[0].data
    dtype = torch.from_numpy(as_numpy(first)).dtype
    theirs = transformers.MarianMTModel(marian_config(model.config)).to(dtype).eval()
    theirs.load_state_dict(
        {name: torch.tensor(x, dtype=dtype) for name, x in marian_weights(model).items()}
    )
    return theirs.to("cpu" if on_host(first) else "cuda")


@torch.inference_mode()
def logits(model, source, target_in):
    source, target_in = (torch.from_numpy(ids).to(model.device) for ids in (source, target_in))
    return (
        model(input_ids=source, attention_mask=torch.ones_like(source), decoder_input_ids=target_in)
        .logits.cpu()
        .numpy()
    )


def decode(model, source, tokens):
    """Greedy, on the cache: ids (B, tokens), as our `greedy` returns them."""
    source = torch.from_numpy(source).to(model.device)
    options = {"max_new_tokens": tokens, "num_beams": 1, "do_sample": False, "use_cache": True}
    return (
        model.generate(source, attention_mask=torch.ones_like(source), **options)[:, 1:]
        .cpu()
        .numpy()
    )
